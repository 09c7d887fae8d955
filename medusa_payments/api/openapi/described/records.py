"""Records that Medusa has not."""

from __future__ import annotations

from typing import Any

from medusa_payments.api.openapi.description import Description, list_of, one_of
from medusa_payments.api.views import records as views

RECORDS: dict[type[Any], dict[str, Description]] = {
    views.AdminRecordedSessions: {
        "get": list_of(
            views.SESSIONS,
            name="admin_list_payment_sessions",
            summary="List payment sessions, with what the provider was last seen to hold for them",
        )
    },
    views.AdminRecordedSession: {
        "get": one_of(
            views.SESSIONS, name="admin_get_payment_session", summary="Get a payment session"
        )
    },
    views.AdminProviderCalls: {
        "get": list_of(
            views.CALLS,
            name="admin_list_provider_calls",
            summary="List what providers were asked, and what is known of it",
        )
    },
    views.AdminProviderCall: {
        "get": one_of(views.CALLS, name="admin_get_provider_call", summary="Get a provider call")
    },
    views.AdminDiscrepancies: {
        "get": list_of(
            views.DISCREPANCIES,
            name="admin_list_discrepancies",
            summary="List what a person must decide",
        )
    },
    views.AdminDiscrepancy: {
        "get": one_of(
            views.DISCREPANCIES, name="admin_get_discrepancy", summary="Get a discrepancy"
        )
    },
    views.AdminAuditEntries: {
        "get": list_of(
            views.AUDIT,
            name="admin_list_audit_entries",
            summary="List who changed what, through which door",
        )
    },
    views.AdminAuditEntry: {
        "get": one_of(views.AUDIT, name="admin_get_audit_entry", summary="Get an audit entry")
    },
}
