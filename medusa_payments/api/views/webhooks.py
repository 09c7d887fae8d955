"""Where providers post their events. The answer says whether an event was stored, no more."""

from __future__ import annotations

from django.db import Error as DatabaseFailure
from django.http import HttpResponse
from rest_framework.request import Request

from medusa_payments.api.errors import WebhookNotStored
from medusa_payments.api.parsers import raw_body
from medusa_payments.api.views.base import ApiView
from medusa_payments.errors import NotFound, UnknownProvider
from medusa_payments.operations.webhooks import receive_webhook


class PaymentHook(ApiView):
    def post(self, request: Request, provider_id: str) -> HttpResponse:
        try:
            receive_webhook(provider_id, raw_body(request), request.headers)
        except UnknownProvider as error:
            raise NotFound(error.message) from error
        except DatabaseFailure as error:
            raise WebhookNotStored from error
        return HttpResponse("OK", content_type="text/plain")
