"""Payments, refund reasons and payment providers."""

from __future__ import annotations

from typing import Any

from medusa_payments.api import fields
from medusa_payments.api.openapi.description import (
    Description,
    act_on,
    deletion_of,
    list_of,
    one_of,
    page_of,
)
from medusa_payments.api.openapi.parameters import Parameter, of_filters, of_page
from medusa_payments.api.views.payments import (
    CAPTURE_BODY,
    REFUND_BODY,
    AdminPayment,
    AdminPayments,
    CancelPayment,
    CapturePayment,
    RefundPayment,
)
from medusa_payments.api.views.payments import (
    PAYMENTS as LISTING,
)
from medusa_payments.api.views.providers import FILTERS, AdminProviders, StoreProviders
from medusa_payments.api.views.refund_reasons import (
    CREATE_BODY,
    REASONS,
    UPDATE_BODY,
    AdminRefundReason,
    AdminRefundReasons,
)
from medusa_payments.errors import Conflict, NotAllowed, NotFound, PaymentProviderUnavailable

_ACTING = (NotAllowed, NotFound, Conflict, PaymentProviderUnavailable)
_REGION = Parameter(name="region_id", schema={"type": "string", "minLength": 1}, is_required=True)

PAYMENTS: dict[type[Any], dict[str, Description]] = {
    StoreProviders: {
        "get": Description(
            name="store_list_payment_providers",
            summary="List the payment providers that are enabled in a region",
            answer=page_of("payment_providers", "payment_provider"),
            query=(_REGION, *of_page(fields.PROVIDER)),
        )
    },
    AdminProviders: {
        "get": Description(
            name="admin_list_payment_providers",
            summary="List payment providers",
            answer=page_of("payment_providers", "payment_provider"),
            query=(*of_filters(FILTERS), *of_page(fields.PROVIDER)),
        )
    },
    AdminPayments: {
        "get": list_of(LISTING, name="admin_list_payments", summary="List payments"),
    },
    AdminPayment: {
        "get": one_of(LISTING, name="admin_get_payment", summary="Get a payment"),
    },
    CapturePayment: {
        "post": act_on(
            "payment",
            name="admin_capture_payment",
            summary="Capture a payment, or part of it",
            note="Without an amount, all that is left. A payment that is captured stays as it is.",
            body=CAPTURE_BODY,
            refusals=_ACTING,
            may_be_uncertain=True,
        )
    },
    RefundPayment: {
        "post": act_on(
            "payment",
            name="admin_refund_payment",
            summary="Refund a payment, or part of it",
            note="Without an amount, all that is left.",
            body=REFUND_BODY,
            refusals=_ACTING,
            may_be_uncertain=True,
        )
    },
    CancelPayment: {
        "post": act_on(
            "payment",
            name="admin_cancel_payment",
            summary="Release what a payment holds, before it is captured",
            body={},
            refusals=_ACTING,
            may_be_uncertain=True,
        )
    },
    AdminRefundReasons: {
        "get": list_of(REASONS, name="admin_list_refund_reasons", summary="List refund reasons"),
        "post": act_on(
            "refund_reason",
            name="admin_create_refund_reason",
            summary="Make a refund reason",
            body=CREATE_BODY,
            refusals=(),
        ),
    },
    AdminRefundReason: {
        "get": one_of(REASONS, name="admin_get_refund_reason", summary="Get a refund reason"),
        "post": act_on(
            "refund_reason",
            name="admin_update_refund_reason",
            summary="Change a refund reason",
            body=UPDATE_BODY,
            refusals=(NotFound,),
        ),
        "delete": Description(
            name="admin_delete_refund_reason",
            summary="Delete a refund reason",
            note="It is hidden and kept. A second time is answered as the first.",
            answer=deletion_of("refund_reason"),
            refusals=(NotFound,),
        ),
    },
}
