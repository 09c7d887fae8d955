"""What a provider's own lists hold, page by page. Amounts in smallest units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medusa_payments.statuses import LedgerKind, MovementStatus, ProviderState


@dataclass(frozen=True, kw_only=True)
class LedgerQuery:
    """The objects of one kind created from ``created_from`` until just before ``created_until``,
    both in whole seconds. ``cursor`` is what the page before told as its ``next_cursor``."""

    kind: LedgerKind
    created_from: datetime
    created_until: datetime
    cursor: str = ""


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One object as the provider has it. What it holds of the customer is left out.

    ``unreadable`` says why its amounts or its state cannot be told; they are 0 and unknown then.
    """

    kind: LedgerKind
    reference: str
    created_at: datetime
    payment_reference: str = ""  # of the payment that it belongs to; a payment names itself
    session_id: str = ""  # our marker
    refund_id: str = ""  # our marker of a refund
    amount_minor: int = 0
    currency_code: str = ""
    state: ProviderState = ProviderState.UNKNOWN  # of a payment or a charge
    held_minor: int = 0
    captured_minor: int = 0
    refund_status: MovementStatus | None = None
    is_release: bool = False  # shown as a refund, and only held money that was let go
    unreadable: str = ""


@dataclass(frozen=True, kw_only=True)
class LedgerPage:
    """Newest first. ``next_cursor`` is empty when there is no more."""

    entries: tuple[LedgerEntry, ...]
    next_cursor: str = ""
