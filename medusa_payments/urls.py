"""The payments API. Include it under a prefix of its own: what is below the prefix and no route
of ours is answered with 404 as JSON.

A trailing slash is accepted and never asked for: a redirect would turn a POST into a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path

from medusa_payments.api.cors import shared_with_origins
from medusa_payments.api.views.auth import AuthSession, EmailPasswordLogin
from medusa_payments.api.views.base import ApiView, UnknownRoute
from medusa_payments.api.views.collections import (
    AdminCollection,
    AdminCollections,
    AdminSessions,
    MarkAsPaid,
)
from medusa_payments.api.views.document import OpenApiDocument
from medusa_payments.api.views.health import Health
from medusa_payments.api.views.orders import AuthorizeOrderSession
from medusa_payments.api.views.payments import (
    AdminPayment,
    AdminPayments,
    CancelPayment,
    CapturePayment,
    RefundPayment,
)
from medusa_payments.api.views.providers import AdminProviders, StoreProviders
from medusa_payments.api.views.records import (
    AdminAuditEntries,
    AdminAuditEntry,
    AdminDiscrepancies,
    AdminDiscrepancy,
    AdminProviderCall,
    AdminProviderCalls,
    AdminRecordedSession,
    AdminRecordedSessions,
)
from medusa_payments.api.views.refund_reasons import AdminRefundReason, AdminRefundReasons
from medusa_payments.api.views.session_status import StoreSessionStatus
from medusa_payments.api.views.store_collections import StoreCollections, StoreSessions
from medusa_payments.api.views.webhooks import PaymentHook

app_name = "medusa_payments"

# The first that matches serves.
_ROUTES: dict[str, type[ApiView]] = {
    "store/payment-providers": StoreProviders,
    "store/payment-collections": StoreCollections,
    "store/payment-collections/<collection_id>/payment-sessions": StoreSessions,
    "store/payment-sessions/<session_id>/status": StoreSessionStatus,
    "admin/payment-collections": AdminCollections,
    "admin/payment-collections/<collection_id>": AdminCollection,
    "admin/payment-collections/<collection_id>/payment-sessions": AdminSessions,
    "admin/payment-collections/<collection_id>/mark-as-paid": MarkAsPaid,
    "admin/payments": AdminPayments,
    "admin/payments/payment-providers": AdminProviders,
    "admin/payments/<payment_id>": AdminPayment,
    "admin/payments/<payment_id>/capture": CapturePayment,
    "admin/payments/<payment_id>/refund": RefundPayment,
    "admin/payments/<payment_id>/cancel": CancelPayment,
    "admin/refund-reasons": AdminRefundReasons,
    "admin/refund-reasons/<reason_id>": AdminRefundReason,
    "admin/orders/<order_id>/payment-sessions/authorize": AuthorizeOrderSession,
    "admin/payment-sessions": AdminRecordedSessions,
    "admin/payment-sessions/<session_id>": AdminRecordedSession,
    "admin/provider-calls": AdminProviderCalls,
    "admin/provider-calls/<call_id>": AdminProviderCall,
    "admin/discrepancies": AdminDiscrepancies,
    "admin/discrepancies/<discrepancy_id>": AdminDiscrepancy,
    "admin/audit-entries": AdminAuditEntries,
    "admin/audit-entries/<entry_id>": AdminAuditEntry,
    "auth/user/emailpass": EmailPasswordLogin,
    "auth/session": AuthSession,
    "hooks/payment/<provider_id>": PaymentHook,
    "health": Health,
    "openapi.json": OpenApiDocument,
}


# An id holds only what ids are made of, so that any database can be asked for it.
_ID = r"[A-Za-z0-9_.-]{1,255}"
_OTHERS = {"order_id": r"[^\x00\r\n]{1,255}"}  # the shop's own, and free text


def _pattern(route: str, view: type[ApiView]) -> URLPattern:
    expression = re.sub(
        r"<(\w+)>",
        lambda name: f"(?P<{name[1]}>{_OTHERS.get(name[1], _ID)})",
        route.replace(".", r"\."),
    )
    serve: Callable[..., HttpResponseBase] = view.as_view()
    area = route.partition("/")[0]
    return re_path(rf"^{expression}/?\Z", shared_with_origins(serve, area=area), name=view.__name__)


PATTERNS = {route: _pattern(route, view) for route, view in _ROUTES.items()}
urlpatterns = [*PATTERNS.values(), re_path("", UnknownRoute.as_view())]
