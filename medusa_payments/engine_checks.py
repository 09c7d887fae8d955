"""Wrong settings of reconciliation. A limit that is not understood must not count as none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.checks import CheckMessage, Error

from medusa_payments import settings
from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.money import decimals, to_minor
from medusa_payments.providers.registry import PREFIX
from medusa_payments.statuses import DiscrepancyKind, PolicyMode, ProposalKind

_POLICY_NAMES = ("MODE", "PROVIDER", "KIND", "ABOVE", "OLDER_THAN")
_POLICY_KINDS = (
    ProposalKind.CANCEL.value,
    ProposalKind.REFUND.value,
    DiscrepancyKind.GHOST.value,
)
_MODES = tuple(mode.value for mode in PolicyMode)
_POSITIVE = ("OUTAGE_ALERT", "RESOLUTION_OBJECTIVE", "SWEEP_EXPECTED_WITHIN")
_COUNTS = ("READS_PER_MINUTE", "BREAKER_FAILURES")


def errors() -> Iterator[CheckMessage]:
    for number, text in _faults():
        yield Error(text, id=f"medusa_payments.E0{number}")


def _faults() -> Iterator[tuple[int, str]]:
    """Each with the number of its message."""
    yield from ((13, text) for text in _policies(settings.POLICIES))
    yield from ((14, text) for text in _caps(settings.CAPS))
    yield from ((15, text) for text in _amounts("TWO_PERSONS_ABOVE", settings.TWO_PERSONS_ABOVE))
    if settings.LATE_SUCCESS not in ("refund", "adopt"):
        yield 16, "MEDUSA_PAYMENTS['LATE_SUCCESS'] must be 'refund' or 'adopt'."
    yield from ((17, text) for text in _numbers())


def _numbers() -> Iterator[str]:
    for name in _COUNTS:
        if not _is_count(getattr(settings, name)) or not getattr(settings, name):
            yield f"MEDUSA_PAYMENTS[{name!r}] must be a whole number, 1 or more."
    if not _is_schedule(settings.BREAKER_SCHEDULE):
        yield "MEDUSA_PAYMENTS['BREAKER_SCHEDULE'] must be a non-empty list of positive seconds."
    for name in _POSITIVE:
        if not _is_number(getattr(settings, name)) or getattr(settings, name) <= 0:
            yield f"MEDUSA_PAYMENTS[{name!r}] must be a number of seconds, more than 0."


def _policies(policies: Any) -> Iterator[str]:
    if isinstance(policies, (str, Mapping)) or not hasattr(policies, "__iter__"):
        yield "MEDUSA_PAYMENTS['POLICIES'] must be a list of dictionaries."
        return
    for position, policy in enumerate(policies):
        name = f"POLICIES[{position}]"
        if not isinstance(policy, Mapping):
            yield f"{name} must be a dictionary."
            continue
        yield from _policy(name, policy)


def _policy(name: str, policy: Mapping[str, Any]) -> Iterator[str]:
    for unknown in sorted(set(map(str, policy)) - set(_POLICY_NAMES)):
        yield f"{name} has no {unknown!r}; there are {', '.join(_POLICY_NAMES)}."
    if policy.get("MODE") not in _MODES:
        yield f"{name}['MODE'] must be one of {', '.join(_MODES)}."
    provider = policy.get("PROVIDER", PREFIX)
    if not (isinstance(provider, str) and provider.startswith(PREFIX)):
        yield f"{name}['PROVIDER'] must be the id of a provider, which begins with {PREFIX}."
    if policy.get("KIND", _POLICY_KINDS[0]) not in _POLICY_KINDS:
        yield f"{name}['KIND'] must be one of {', '.join(_POLICY_KINDS)}."
    if "ABOVE" in policy:
        yield from _amounts(f"{name}['ABOVE']", policy["ABOVE"])
    older = policy.get("OLDER_THAN", 0)
    if not _is_number(older) or older < 0:
        yield f"{name}['OLDER_THAN'] must be a number of seconds, 0 or more."


def _caps(caps: Any) -> Iterator[str]:
    if not isinstance(caps, Mapping):
        yield "MEDUSA_PAYMENTS['CAPS'] must be a dictionary with 'RUN' and 'DAY', or one of them."
        return
    for scope, cap in caps.items():
        name = f"CAPS[{scope!r}]"
        if scope not in ("RUN", "DAY"):
            yield f"{name} is no cap; there are 'RUN' and 'DAY'."
        elif not isinstance(cap, Mapping) or set(cap) - {"ACTS", "AMOUNT"}:
            yield f"{name} must be a dictionary with 'ACTS' and 'AMOUNT', or one of them."
        else:
            if "ACTS" in cap and not _is_count(cap["ACTS"]):
                yield f"{name}['ACTS'] must be a whole number, 0 or more."
            if "AMOUNT" in cap:
                yield from _amounts(f"{name}['AMOUNT']", cap["AMOUNT"])


def _amounts(name: str, amounts: Any) -> Iterator[str]:
    if not isinstance(amounts, dict):
        yield f"{name} must be a dictionary of amounts by currency: {{'eur': Decimal('100')}}."
        return
    for code, amount in amounts.items():
        if fault := _amount_fault(code, amount):
            yield f"{name}[{code!r}]: {fault}"


def _amount_fault(code: Any, amount: Any) -> str:
    """0 is a limit too: nothing is below it."""
    if not isinstance(code, str) or code != code.lower():
        return "a currency is written in small letters."
    try:
        decimals(code)
        if amount != 0 or not isinstance(amount, (int, Decimal)) or isinstance(amount, bool):
            to_minor(amount, code)
    except MedusaPaymentsError as error:
        return error.message
    return ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_schedule(value: Any) -> bool:
    is_list = isinstance(value, (list, tuple)) and bool(value)
    return is_list and all(_is_number(each) and each > 0 for each in value)
