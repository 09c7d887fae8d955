"""What the app keeps beside Medusa's records, for the admin to read: nothing here changes any."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api import fields
from medusa_payments.api.listing import Listing, columns
from medusa_payments.api.queries import amount, integer, moment, searched, text, truth
from medusa_payments.api.shapes import stored
from medusa_payments.api.views.base import AdminView
from medusa_payments.models import AuditEntry, Discrepancy, PaymentSession, ProviderCall

SESSIONS = Listing(
    one="payment_session",
    many="payment_sessions",
    shape="recorded_session",
    fields=fields.ALL,
    filters={
        "q": searched("pk", "payment_collection_id", "provider_reference"),
        "id": text("pk"),
        "payment_collection_id": text("payment_collection_id"),
        "provider_id": text("provider_id"),
        "provider_reference": text("provider_reference"),
        "provider_state": text("provider_state"),
        "status": text("status"),
        "currency_code": text("currency_code"),
        "amount": amount("amount_minor"),
        "deleted_reason": text("deleted_reason"),
        "indeterminate": truth("indeterminate"),
        "resolution": text("resolution"),
        "authorized_at": moment("authorized_at"),
        "resolved_at": moment("resolved_at"),
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
        "deleted_at": moment("deleted"),
    },
    orders=columns(
        "payment_collection_id",
        "provider_id",
        "status",
        "authorized_at",
        "resolved_at",
        "created_at",
        "updated_at",
        amount="amount_minor",
        deleted_at="deleted",
    ),
    rows=lambda: stored(PaymentSession),
    all_rows=lambda: stored(PaymentSession, "all_objects"),
    missing="PaymentSession id not found: {id}",
)
CALLS = Listing(
    one="provider_call",
    many="provider_calls",
    shape="provider_call",
    fields=fields.ALL,
    filters={
        "q": searched("pk", "payment_session_id", "provider_reference", "request_id"),
        "id": text("pk"),
        "kind": text("kind"),
        "state": text("state"),
        "generation": integer("generation"),
        "payment_collection_id": text("payment_collection_id"),
        "payment_session_id": text("payment_session_id"),
        "payment_id": text("payment_id"),
        "capture_id": text("capture_id"),
        "refund_id": text("refund_id"),
        "provider_id": text("provider_id"),
        "provider_reference": text("provider_reference"),
        "request_id": text("request_id"),
        "failure_kind": text("failure_kind"),
        "failure_code": text("failure_code"),
        "is_undoing": truth("is_undoing"),
        "is_provisional": truth("is_provisional"),
        "last_sent_at": moment("last_sent_at"),
        "next_attempt_at": moment("next_attempt_at"),
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
    },
    orders=columns(
        "kind",
        "state",
        "payment_collection_id",
        "payment_session_id",
        "provider_id",
        "last_sent_at",
        "next_attempt_at",
        "created_at",
        "updated_at",
    ),
    rows=lambda: stored(ProviderCall),
    missing="ProviderCall id not found: {id}",
)
DISCREPANCIES = Listing(
    one="discrepancy",
    many="discrepancies",
    shape="discrepancy",
    fields=fields.ALL,
    filters={
        "q": searched("pk", "provider_reference", "detail"),
        "id": text("pk"),
        "kind": text("kind"),
        "state": text("state"),
        "payment_collection_id": text("payment_collection_id"),
        "payment_session_id": text("payment_session_id"),
        "provider_call_id": text("provider_call_id"),
        "webhook_event_id": text("webhook_event_id"),
        "provider_id": text("provider_id"),
        "provider_reference": text("provider_reference"),
        "currency_code": text("currency_code"),
        "amount": amount("amount_minor"),
        "closed_by": text("closed_by"),
        "closed_at": moment("closed_at"),
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
    },
    orders=columns(
        "kind",
        "state",
        "payment_collection_id",
        "provider_id",
        "closed_at",
        "created_at",
        "updated_at",
        amount="amount_minor",
    ),
    rows=lambda: stored(Discrepancy),
    missing="Discrepancy id not found: {id}",
)
AUDIT = Listing(
    one="audit_entry",
    many="audit_entries",
    shape="audit_entry",
    fields=fields.ALL,
    filters={
        "q": searched("subject_id", "actor", "action"),
        "id": integer("pk"),
        "payment_collection_id": text("payment_collection_id"),
        "number": integer("number"),
        "action": text("action"),
        "subject_type": text("subject_type"),
        "subject_id": text("subject_id"),
        "actor": text("actor"),
        "door": text("door"),
        "cause": text("cause"),
        "created_at": moment("created_at"),
    },
    orders=columns("payment_collection_id", "number", "action", "actor", "door", "created_at"),
    rows=lambda: stored(AuditEntry),
    missing="AuditEntry id not found: {id}",
)


class AdminRecordedSessions(AdminView):
    permission = {"get": "view_paymentsession"}

    def get(self, request: Request) -> Response:
        return SESSIONS.page(request)


class AdminRecordedSession(AdminView):
    permission = {"get": "view_paymentsession"}

    def get(self, request: Request, session_id: str) -> Response:
        return SESSIONS.get(request, session_id)


class AdminProviderCalls(AdminView):
    permission = {"get": "view_providercall"}

    def get(self, request: Request) -> Response:
        return CALLS.page(request)


class AdminProviderCall(AdminView):
    permission = {"get": "view_providercall"}

    def get(self, request: Request, call_id: str) -> Response:
        return CALLS.get(request, call_id)


class AdminDiscrepancies(AdminView):
    permission = {"get": "view_discrepancy"}

    def get(self, request: Request) -> Response:
        return DISCREPANCIES.page(request)


class AdminDiscrepancy(AdminView):
    permission = {"get": "view_discrepancy"}

    def get(self, request: Request, discrepancy_id: str) -> Response:
        return DISCREPANCIES.get(request, discrepancy_id)


class AdminAuditEntries(AdminView):
    permission = {"get": "view_auditentry"}

    def get(self, request: Request) -> Response:
        return AUDIT.page(request)


class AdminAuditEntry(AdminView):
    permission = {"get": "view_auditentry"}

    def get(self, request: Request, entry_id: str) -> Response:
        return AUDIT.get(request, entry_id)
