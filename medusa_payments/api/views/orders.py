"""Orders are the shop's; what is served of them is the payment sessions that they wait for."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api.bodies import identifier, read_body
from medusa_payments.api.queries import ONE, read_query, text_in
from medusa_payments.api.shapes import stored
from medusa_payments.api.views.base import AdminView
from medusa_payments.errors import NotAllowed, NotFound
from medusa_payments.models import PaymentSession
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.statuses import SessionStatus

AUTHORIZE_BODY = {"payment_session_id": identifier(is_required=True)}


class AuthorizeOrderSession(AdminView):
    permission = {"post": "change_paymentsession"}

    def post(self, request: Request, order_id: str) -> Response:
        text_in(read_query(request, ONE), "fields")
        session = _session(order_id, read_body(request, AUTHORIZE_BODY)["payment_session_id"])
        if session.status != SessionStatus.PENDING_AUTHORIZATION:
            raise NotAllowed(f"Payment session {session.pk} is not in pending_authorization status")
        payment = authorize_payment_session(session, actor=self.actor)
        return Response({"order": {"id": order_id}, "is_authorized": payment is not None})


def _session(order_id: str, session_id: str) -> PaymentSession:
    rows = stored(PaymentSession).filter(pk=session_id)
    found = rows.filter(payment_collection__order_reference=order_id).first()
    if found is None:
        raise NotFound(f"Payment session with id: {session_id} was not found")
    return found
