"""What the shop's settings let reconciliation do by itself, and what takes two persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from medusa_payments import settings
from medusa_payments.money import to_minor
from medusa_payments.statuses import DiscrepancyKind, PolicyMode, ProposalKind


def mode_for(
    *,
    provider_id: str,
    kind: ProposalKind,
    amount_minor: int,
    currency_code: str,
    age: timedelta,
) -> PolicyMode:
    """The mode of the first policy that fits; without one reconciliation acts.

    ``amount_minor``: what would move, in smallest units; of a payment that nobody has paid yet,
    what could be paid. ``age``: since the payment was started. A limit in other currencies only
    fits no amount.
    """
    for policy in settings.POLICIES:
        if (
            policy.get("PROVIDER", provider_id) == provider_id
            and policy.get("KIND", kind) == kind
            and _is_above(policy.get("ABOVE"), amount_minor, currency_code)
            and age >= timedelta(seconds=policy.get("OLDER_THAN", 0))
        ):
            return PolicyMode(policy["MODE"])
    return PolicyMode.ACT


def ghost_mode_for(
    *, provider_id: str, amount_minor: int, currency_code: str, age: timedelta
) -> PolicyMode:
    """What may become of an object without a record: nothing, unless a policy says ``"ghost"``.

    After an old backup was restored everything since then is a ghost, paid orders too.
    """
    for policy in settings.POLICIES:
        if (
            policy.get("KIND") == DiscrepancyKind.GHOST
            and policy.get("PROVIDER", provider_id) == provider_id
            and _is_above(policy.get("ABOVE"), amount_minor, currency_code)
            and age >= timedelta(seconds=policy.get("OLDER_THAN", 0))
        ):
            return PolicyMode(policy["MODE"])
    return PolicyMode.OBSERVE


def persons_needed(*, amount_minor: int | None, currency_code: str) -> int:
    """How many persons have to agree: two above the limit of the currency, else one."""
    limits = settings.TWO_PERSONS_ABOVE
    if amount_minor is None or not limits:
        return 1
    return 2 if _is_above(limits, amount_minor, currency_code) else 1


def _is_above(limits: Mapping[str, Any] | None, amount_minor: int, currency_code: str) -> bool:
    """No limits at all: every amount is."""
    if limits is None:
        return True
    limit = limits.get(currency_code)
    if limit is None:
        return False
    return amount_minor > (to_minor(limit, currency_code) if limit else 0)
