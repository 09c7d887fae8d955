"""Payments: reading, capturing, refunding and canceling them."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api import fields
from medusa_payments.api.bodies import Field, amount, identifier, read_body
from medusa_payments.api.listing import Listing, columns
from medusa_payments.api.queries import ONE, ignored, moment, never, read_query, text, text_in
from medusa_payments.api.request_keys import request_key
from medusa_payments.api.shapes import Selection, load, show, stored
from medusa_payments.api.views.base import AdminView
from medusa_payments.errors import NotFound
from medusa_payments.models import Capture, Payment, Refund, RefundReason
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.statuses import UNRESOLVED_MOVEMENTS

PAYMENTS = Listing(
    one="payment",
    many="payments",
    shape="payment",
    fields=fields.PAYMENT,
    filters={
        "q": ignored,  # nothing of a payment is searchable
        "id": text("pk"),
        "payment_session_id": text("payment_session_id"),
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
        "deleted_at": never(),
    },
    orders=columns(
        "currency_code",
        "provider_id",
        "payment_collection_id",
        "payment_session_id",
        "captured_at",
        "canceled_at",
        "created_at",
        "updated_at",
        amount="amount_minor",
    ),
    rows=lambda: stored(Payment),
    missing="Payment with id: {id} was not found",
)
CAPTURE_BODY = {"amount": amount()}
REFUND_BODY = {
    "amount": amount(),
    "refund_reason_id": identifier(),
    "note": Field(type="string"),
}


class AdminPayments(AdminView):
    permission = {"get": "view_payment"}

    def get(self, request: Request) -> Response:
        return PAYMENTS.page(request)


class AdminPayment(AdminView):
    permission = {"get": "view_payment"}

    def get(self, request: Request, payment_id: str) -> Response:
        return PAYMENTS.get(request, payment_id)


class CapturePayment(AdminView):
    permission = {"post": "capture_payment"}

    def post(self, request: Request, payment_id: str) -> Response:
        selection = _selection(request)
        body = read_body(request, CAPTURE_BODY)
        capture = capture_payment(
            _payment(payment_id, f"Payment with id: {payment_id} was not found"),
            amount=body.get("amount"),
            request_key=request_key(request),
            actor=self.actor,
        )
        return _answer(payment_id, selection, is_uncertain=_is_uncertain(capture))


class RefundPayment(AdminView):
    permission = {"post": "refund_payment"}

    def post(self, request: Request, payment_id: str) -> Response:
        selection = _selection(request)
        body = read_body(request, REFUND_BODY)
        refund = refund_payment(
            _payment(payment_id, f"Payment id not found: {payment_id}"),
            amount=body.get("amount"),
            reason=_reason(body.get("refund_reason_id")),
            note=body.get("note"),
            request_key=request_key(request),
            actor=self.actor,
        )
        return _answer(payment_id, selection, is_uncertain=_is_uncertain(refund))


class CancelPayment(AdminView):
    permission = {"post": "cancel_payment"}

    def post(self, request: Request, payment_id: str) -> Response:
        selection = _selection(request)
        read_body(request, {})
        payment = cancel_payment(
            _payment(payment_id, f"Payment id not found: {payment_id}"), actor=self.actor
        )
        return _answer(payment_id, selection, is_uncertain=not payment.is_canceled)


def _selection(request: Request) -> Selection:
    given = text_in(read_query(request, ONE), "fields")
    return fields.select("payment", fields.PAYMENT, given)


def _payment(payment_id: str, or_else: str) -> Payment:
    found = stored(Payment).filter(pk=payment_id).first()
    if found is None:
        raise NotFound(or_else)
    return found


def _reason(reason_id: str | None) -> RefundReason | None:
    if reason_id is None:
        return None
    found = stored(RefundReason).filter(pk=reason_id).first()
    if found is None:
        raise NotFound(f"RefundReason id not found: {reason_id}")
    return found


def _is_uncertain(movement: Capture | Refund | None) -> bool:
    return movement is not None and movement.status in UNRESOLVED_MOVEMENTS


def _answer(payment_id: str, selection: Selection, *, is_uncertain: bool = False) -> Response:
    """202: asked, and the outcome is not known yet; the payment then says what is uncertain."""
    found = load("payment", stored(Payment).filter(pk=payment_id), selection).first()
    if found is None:
        raise NotFound(f"Payment with id: {payment_id} was not found")
    return Response(
        {"payment": show("payment", found, selection)}, status=202 if is_uncertain else 200
    )
