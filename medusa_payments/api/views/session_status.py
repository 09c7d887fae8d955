"""What a buyer's page asks while it waits: where a try stands, and what to do."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api.access import may_access
from medusa_payments.api.queries import read_query
from medusa_payments.api.shapes import stored
from medusa_payments.api.views.base import StoreView
from medusa_payments.errors import NotFound
from medusa_payments.models import PaymentSession
from medusa_payments.operations.buyer_advice import advise_buyer


class StoreSessionStatus(StoreView):
    def get(self, request: Request, session_id: str) -> Response:
        """Sessions that were set aside too: their buyers are those who need it most."""
        read_query(request, ())
        session = _session(request, session_id)
        advice = advise_buyer(session)
        shown = {
            "id": session.pk,
            "status": session.status,
            "is_final": advice.is_final,
            "action": advice.action,
            "message": advice.message,
            "retry_after": advice.retry_after,
        }
        return Response({"payment_session": shown})


def _session(request: Request, session_id: str) -> PaymentSession:
    rows = stored(PaymentSession, "all_objects").select_related("payment_collection")
    found = rows.filter(pk=session_id).first()
    if found is None or not may_access(request, found.payment_collection):
        raise NotFound(f"PaymentSession id not found: {session_id}")
    return found
