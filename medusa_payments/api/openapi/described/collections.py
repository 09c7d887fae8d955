"""Payment collections and their sessions, of the store and of the admin."""

from __future__ import annotations

from typing import Any

from medusa_payments.api.openapi.components import with_keys
from medusa_payments.api.openapi.description import (
    Description,
    act_on,
    deletion_of,
    list_of,
    one_of,
)
from medusa_payments.api.openapi.parameters import FIELDS
from medusa_payments.api.shapes.schemas import Schema
from medusa_payments.api.views.collection_answers import SESSION_BODY
from medusa_payments.api.views.collections import (
    COLLECTIONS as LISTING,
)
from medusa_payments.api.views.collections import (
    MARK_BODY,
    ORDER_BODY,
    AdminCollection,
    AdminCollections,
    AdminSessions,
    MarkAsPaid,
)
from medusa_payments.api.views.orders import AUTHORIZE_BODY, AuthorizeOrderSession
from medusa_payments.api.views.session_status import StoreSessionStatus
from medusa_payments.api.views.store_collections import (
    CART_BODY,
    StoreCollections,
    StoreSessions,
)
from medusa_payments.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
)
from medusa_payments.operations.buyer_advice import BuyerAction
from medusa_payments.statuses import SessionStatus

_STARTING = (
    NotAllowed,
    NotFound,
    Conflict,
    PaymentDeclined,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
)
_SHAPE = "payment_collection"
_STATUS: dict[str, Schema] = {
    "id": {"type": "string"},
    "status": {"type": "string", "enum": list(SessionStatus.values)},
    "is_final": {"type": "boolean"},
    "action": {"type": "string", "enum": list(BuyerAction)},
    "message": {"type": "string"},
    "retry_after": {"type": ["integer", "null"], "minimum": 0},
}

COLLECTIONS: dict[type[Any], dict[str, Description]] = {
    StoreCollections: {
        "post": act_on(
            _SHAPE,
            name="store_create_payment_collection",
            summary="Find or make the payment collection of a cart",
            note="The price comes from the shop's cart, never from the browser.",
            body=CART_BODY,
            refusals=(NotFound, Conflict),
        )
    },
    StoreSessions: {
        "post": act_on(
            _SHAPE,
            name="store_create_payment_session",
            summary="Start paying a collection with a provider",
            note=(
                "Replaces the session before it, or updates it. After 503 `payment_indeterminate`"
                " the buyer may try again at once: what the first try took goes back by itself."
            ),
            body=SESSION_BODY,
            refusals=_STARTING,
        )
    },
    StoreSessionStatus: {
        "get": Description(
            name="store_get_payment_session_status",
            summary="Where a try to pay stands, and what the buyer should do",
            answer=with_keys({"payment_session": with_keys(_STATUS)}),
            refusals=(NotFound,),
        )
    },
    AdminCollections: {
        "get": list_of(
            LISTING, name="admin_list_payment_collections", summary="List payment collections"
        ),
        "post": act_on(
            _SHAPE,
            name="admin_create_payment_collection",
            summary="Make a payment collection for an order",
            body=ORDER_BODY,
            refusals=(),
        ),
    },
    AdminCollection: {
        "get": one_of(
            LISTING, name="admin_get_payment_collection", summary="Get a payment collection"
        ),
        "delete": Description(
            name="admin_delete_payment_collection",
            summary="Delete a payment collection that is not paid",
            note="It is hidden and kept; what the provider still holds for it is closed.",
            answer=deletion_of("payment-collection"),
            refusals=(NotAllowed, NotFound, Conflict, PaymentProviderUnavailable),
        ),
    },
    AdminSessions: {
        "post": act_on(
            _SHAPE,
            name="admin_create_payment_session",
            summary="Start paying a collection, with every option of the provider",
            note=(
                "For a session that holds or takes money before the buyer acts, or that is taken"
                " without a capture, a member of the staff needs `capture_payment` too."
            ),
            body=SESSION_BODY,
            refusals=_STARTING,
        )
    },
    MarkAsPaid: {
        "post": act_on(
            _SHAPE,
            name="admin_mark_payment_collection_as_paid",
            summary="Authorize and capture the whole amount",
            body=MARK_BODY,
            refusals=_STARTING,
            may_be_uncertain=True,
        )
    },
    AuthorizeOrderSession: {
        "post": Description(
            name="admin_authorize_payment_session",
            summary="Ask whether a payment that was pending is authorized",
            body=AUTHORIZE_BODY,
            query=(FIELDS,),
            answer=with_keys(
                {
                    "order": with_keys({"id": {"type": "string"}}),
                    "is_authorized": {"type": "boolean"},
                }
            ),
            refusals=_STARTING,
        )
    },
}
