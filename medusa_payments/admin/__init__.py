"""The admin: every record to be read, none to be rewritten; acts call operations.

Django's admin site imports this package and so registers what the modules below hold.
"""

from medusa_payments.admin import (
    account_holders,
    api_keys,
    audit,
    automation,
    calls,
    collections,
    discrepancies,
    events,
    holder_calls,
    jobs,
    keyed_requests,
    ledger_scans,
    movements,
    payments,
    proposals,
    provider_gates,
    providers,
    sessions,
)

__all__ = [
    "account_holders",
    "api_keys",
    "audit",
    "automation",
    "calls",
    "collections",
    "discrepancies",
    "events",
    "holder_calls",
    "jobs",
    "keyed_requests",
    "ledger_scans",
    "movements",
    "payments",
    "proposals",
    "provider_gates",
    "providers",
    "sessions",
]
