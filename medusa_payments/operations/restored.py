"""How a record that was restored from the provider's ledger is known."""

from __future__ import annotations

from medusa_payments.models import PaymentSession

RESTORED = {"restored_from": "the provider's ledger"}


def is_restored(session: PaymentSession) -> bool:
    """Whether the session's record was written because a scan found its object, a ghost."""
    return bool(session.metadata == RESTORED)
