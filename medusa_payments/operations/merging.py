"""How evidence about a provider's object merges into a session: one table, any order (law 9).

Terminal facts beat a hold, a hold beats the rest; among the rest the later one counts, and where
times tie (Stripe's events have whole seconds) only a lookup decides. Amounts that were taken
never fall.
"""

from __future__ import annotations

from typing import Any

from medusa_payments.models import PaymentSession
from medusa_payments.operations import funding
from medusa_payments.operations.discrepancies import open_discrepancy
from medusa_payments.operations.doubts import report_doubt
from medusa_payments.operations.integrity import doubt_of_payment
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.update_records import is_expected, withhold
from medusa_payments.providers.types import ProviderPayment
from medusa_payments.redaction import REDACTED
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    DiscrepancyKind,
    Evidence,
    ProviderState,
)

_RANK = {
    ProviderState.UNKNOWN: 0,
    ProviderState.PAYABLE: 1,
    ProviderState.ACTION_REQUIRED: 1,
    ProviderState.PROCESSING: 1,
    ProviderState.HELD: 2,
    ProviderState.CANCELED: 3,
    ProviderState.CAPTURED: 4,  # taken money is the stronger fact, should both ever be told
}
# A hold proves an authorization also when it was released before we heard of it.
_AUTHORIZED = (ProviderState.HELD, ProviderState.CAPTURED)
_TERMINAL = (ProviderState.CANCELED, ProviderState.CAPTURED)


def merge_payment(
    locked: LockedCollection,
    session: PaymentSession,
    seen: ProviderPayment,
    *,
    evidence: Evidence,
) -> bool:
    """Merge what was seen, unless it is another object. False when a lookup must decide."""
    if doubt := doubt_of_payment(locked, session, seen):
        report_doubt(locked, session, doubt, about=f"{session.pk}:{seen.reference}")
        return True
    is_as_asked = _is_as_asked(locked, session, seen)
    if _ties(session, seen, evidence):
        return False
    values = _merged(locked, session, seen, evidence)
    locked.change(session, f"session.seen_{evidence}", **values)
    funding.merge_funding(locked, session, seen, evidence=evidence)
    if not is_as_asked and session.is_live and session.provider_state in OPEN_PROVIDER_STATES:
        withhold(locked, session)
    return True


def _ties(session: PaymentSession, seen: ProviderPayment, evidence: Evidence) -> bool:
    """Two non-terminal facts of the same moment that differ; only webhooks have coarse times."""
    known = (session.provider_state, session.provider_amount_minor)
    return (
        evidence == Evidence.WEBHOOK
        and _RANK[seen.state] == _RANK[ProviderState(session.provider_state)] == 1
        and known != (seen.state, seen.amount_minor)
        and seen.observed_at == session.observed_at
    )


def _merged(
    locked: LockedCollection, session: PaymentSession, seen: ProviderPayment, evidence: Evidence
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "provider_reference": seen.reference,
        "captured_minor": max(session.captured_minor, seen.captured_minor),
    }
    if seen.state in _AUTHORIZED and session.authorized_at is None:
        values["authorized_at"] = locked.now
    if _wins(session, seen, evidence):
        values |= {
            "provider_state": seen.state,
            "held_minor": 0 if seen.state in _TERMINAL else seen.held_minor,
            "declined": seen.declined,
            "observed_at": seen.observed_at,
            "evidence": evidence,
        }
        if session.is_live and seen.data:
            shown = {key: value for key, value in seen.data.items() if value != REDACTED}
            values["data"] = {**session.data, **shown}
    if session.provider_amount_minor is None or _wins(session, seen, evidence):
        values["provider_amount_minor"] = seen.amount_minor
        values["provider_currency_code"] = seen.currency_code
    return values


def _wins(session: PaymentSession, seen: ProviderPayment, evidence: Evidence) -> bool:
    if session.evidence == Evidence.OPERATOR:  # a person's word yields to what is seen later
        return evidence == Evidence.LOOKUP or _is_later(session, seen)
    known, new = _RANK[ProviderState(session.provider_state)], _RANK[seen.state]
    if known != new:
        return new > known
    if new == 1 and evidence == Evidence.LOOKUP:
        return True  # it tells of now, whatever the difference between the clocks
    if seen.captured_minor != session.captured_minor:
        return bool(seen.captured_minor > session.captured_minor)
    return _is_later(session, seen)


def _is_later(session: PaymentSession, seen: ProviderPayment) -> bool:
    return session.observed_at is None or seen.observed_at >= session.observed_at


def _is_as_asked(locked: LockedCollection, session: PaymentSession, seen: ProviderPayment) -> bool:
    """Whether currency and amount are what was asked for; if not, a person is told."""
    if seen.currency_code != session.currency_code:
        open_discrepancy(
            locked,
            DiscrepancyKind.CURRENCY,
            about=session.pk,
            detail=(
                f"Asked for {session.currency_code}, the provider's object {seen.reference} is in"
                f" {seen.currency_code}. It pays for nothing."
            ),
            session=session,
            amount_minor=seen.captured_minor or seen.held_minor or None,
            currency_code=seen.currency_code,
        )
        return False
    if is_expected(locked, session, seen):
        return True
    open_discrepancy(
        locked,
        DiscrepancyKind.AMOUNT,
        about=session.pk,
        detail=(
            f"Asked for {session.amount_minor}, the provider's object {seen.reference} is for"
            f" {seen.amount_minor} (smallest unit)."
        ),
        session=session,
        amount_minor=abs(seen.amount_minor - session.amount_minor),
    )
    return False
