"""Refund reasons (CONTRACT 3.4)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api import fields
from medusa_payments.api.bodies import Field, read_body
from medusa_payments.api.listing import Listing, columns
from medusa_payments.api.queries import ONE, moment, read_query, searched, text, text_in
from medusa_payments.api.shapes import Selection, show, stored
from medusa_payments.api.views.base import AdminView
from medusa_payments.errors import NotFound
from medusa_payments.models import RefundReason
from medusa_payments.operations.refund_reasons import (
    create_refund_reason,
    delete_refund_reason,
    update_refund_reason,
)

_SEARCHED = ("label", "code", "description")

# ``with_deleted`` is accepted and shows nothing more, as in Medusa.
REASONS = Listing(
    one="refund_reason",
    many="refund_reasons",
    shape="refund_reason",
    fields=fields.REFUND_REASON,
    filters={
        "q": searched(*_SEARCHED),
        "id": text("pk"),
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
        "deleted_at": moment("deleted"),
    },
    orders=columns(*_SEARCHED, "created_at", "updated_at", deleted_at="deleted"),
    rows=lambda: stored(RefundReason),
    missing='RefundReason with id "{id}" not found',
    default_limit=15,
)
_LENGTH = 255
CREATE_BODY = {
    "label": Field(type="string", max_length=_LENGTH, is_required=True),
    "code": Field(type="string", max_length=_LENGTH, is_required=True),
    "description": Field(type="string", is_nullable=True),
}
UPDATE_BODY = {
    "label": Field(type="string", max_length=_LENGTH),
    "code": Field(type="string", max_length=_LENGTH),
    "description": Field(type="string", is_nullable=True),
}


class AdminRefundReasons(AdminView):
    permission = {"get": "view_refundreason", "post": "add_refundreason"}

    def get(self, request: Request) -> Response:
        return REASONS.page(request)

    def post(self, request: Request) -> Response:
        selection = _selection(request)
        body = read_body(request, CREATE_BODY)
        reason = create_refund_reason(**body, reason_id=self.id_for(RefundReason))
        return _answer(reason.pk, selection)


class AdminRefundReason(AdminView):
    permission = {
        "get": "view_refundreason",
        "post": "change_refundreason",
        "delete": "delete_refundreason",
    }

    def get(self, request: Request, reason_id: str) -> Response:
        return REASONS.get(request, reason_id)

    def post(self, request: Request, reason_id: str) -> Response:
        selection = _selection(request)
        body = read_body(request, UPDATE_BODY)
        update_refund_reason(_reason(reason_id), **body)
        return _answer(reason_id, selection)

    def delete(self, request: Request, reason_id: str) -> Response:
        """A second time is answered as the first."""
        read_query(request, ONE)
        delete_refund_reason(_reason(reason_id, manager="all_objects"))
        return Response({"id": reason_id, "object": "refund_reason", "deleted": True})


def _selection(request: Request) -> Selection:
    given = text_in(read_query(request, ONE), "fields")
    return fields.select("refund_reason", fields.REFUND_REASON, given)


def _reason(reason_id: str, *, manager: str = "objects") -> RefundReason:
    found = stored(RefundReason, manager).filter(pk=reason_id).first()
    if found is None:
        raise NotFound(f'RefundReason with id "{reason_id}" not found')
    return found


def _answer(reason_id: str, selection: Selection) -> Response:
    return Response({"refund_reason": show("refund_reason", _reason(reason_id), selection)})
