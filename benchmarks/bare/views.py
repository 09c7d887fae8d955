"""The same work without the promise: one INSERT, the SDK's call, one UPDATE; verify and INSERT."""

from functools import cache
from typing import Any

import stripe
from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare.models import BareEvent, BareSession

SECRET = settings.MEDUSA_PAYMENTS["PROVIDERS"]["pp_stripe_stripe"]["OPTIONS"]["WEBHOOK_SECRETS"][0]


@cache
def _client() -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE}
    )


def _data(request: Request) -> dict[str, Any]:
    return dict(request.data)


class Bare(APIView):
    authentication_classes: Any = ()
    permission_classes: Any = ()


class CreateSession(Bare):
    def post(self, request: Request) -> Response:
        session = BareSession._default_manager.create(amount=_data(request)["amount"])
        intent = _client().v1.payment_intents.create(
            params={
                "amount": session.amount,
                "currency": "eur",
                "capture_method": "manual",
                "metadata": {"session_id": str(session.pk)},
            },
            options={"idempotency_key": f"bare_{session.pk}"},
        )
        session.intent_id = intent.id
        session.save(update_fields=["intent_id"])
        return Response({"id": session.pk, "client_secret": intent.client_secret})


class Webhook(Bare):
    def post(self, request: Request) -> HttpResponse:
        signature = request.headers["Stripe-Signature"]
        event = stripe.Webhook.construct_event(request._request.body, signature, SECRET)
        BareEvent._default_manager.create(event_id=event.id, payload=event.to_dict())
        return HttpResponse("OK", content_type="text/plain")
