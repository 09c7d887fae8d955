"""What a provider shows is held against what was asked: object, session, currency and amount.

What is about something else proves nothing about this. It is merged into nothing and shown to a
person, and the call whose answer it was is looked up as if no answer had come.
"""

from __future__ import annotations

from dataclasses import replace

from medusa_payments.models import PaymentSession, ProviderCall, Refund
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.doubts import UNLIKE_ASKED, Doubt, about_answer, report_doubt
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.update_records import is_expected
from medusa_payments.providers.registry import get_provider, provider_ids_with
from medusa_payments.providers.types import (
    Found,
    Indeterminate,
    LookupResult,
    NoAnswer,
    Outcome,
    ProviderPayment,
    ProviderRefund,
    Succeeded,
)
from medusa_payments.statuses import CallKind, DiscrepancyKind


def believed_outcome(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, outcome: Outcome
) -> Outcome:
    """The answer to a call; none, if it is not about what the call asked for."""
    doubt = _doubt_of_outcome(locked, session, call, outcome)
    if doubt is None:
        return outcome
    report_doubt(locked, session, doubt, about=about_answer(call), provider_call=call)
    if isinstance(outcome, Indeterminate):
        return replace(outcome, payment=None, refund=None)
    return Indeterminate(
        request_id=outcome.request_id, code=UNLIKE_ASKED, detail=doubt.detail, ask_again=False
    )


def believed_reading(
    locked: LockedCollection, session: PaymentSession, result: LookupResult
) -> LookupResult:
    """What a lookup found, the session's own object first; no answer, if that is not among it."""
    if not isinstance(result, Found):
        return result
    shown = (result.payment, *result.others)
    own = next((each for each in shown if doubt_of_payment(locked, session, each) is None), None)
    if own is not None:
        return Found(payment=own, others=tuple(each for each in shown if each is not own))
    doubt = doubt_of_payment(locked, session, result.payment)
    if doubt is not None:
        report_doubt(locked, session, doubt, about=f"{session.pk}:{result.payment.reference}")
    return NoAnswer(code=UNLIKE_ASKED)


def doubt_of_payment(
    locked: LockedCollection, session: PaymentSession, seen: ProviderPayment
) -> Doubt | None:
    """Whether what was seen is the session's object at all.

    Money at another amount or in another currency than was asked for is the session's all the
    same, and recorded as it came; only what it was once seen in it does not change.
    """
    amount_minor = seen.captured_minor or seen.held_minor or None
    doubt = doubt_of_reference(locked, session, seen.reference, session_id=seen.session_id)
    if doubt is not None:
        return replace(doubt, amount_minor=amount_minor, currency_code=seen.currency_code[:3])
    if session.authorized_at is not None and seen.currency_code != session.money_currency_code:
        return Doubt(
            DiscrepancyKind.CURRENCY,
            f"{seen.reference} held or took {session.money_currency_code}, and is shown in"
            f" {seen.currency_code}. That was not recorded.",
        )
    return None


def doubt_of_reference(
    locked: LockedCollection, session: PaymentSession, reference: str, *, session_id: str = ""
) -> Doubt | None:
    """Whether an object that is named beside a session is that session's."""
    if session_id and session_id != session.pk:
        detail = f"{reference} is marked as of session {session_id}, not of {session.pk}."
        return Doubt(DiscrepancyKind.STATUS, f"{detail} It was not touched.")
    if not reference or reference == session.provider_reference:
        return None
    if other := _owner_of(locked, reference, beside=session):
        detail = f"{reference} is the object of session {other}, not of {session.pk}."
        return Doubt(DiscrepancyKind.STATUS, f"{detail} It was not touched.")
    if not session.provider_reference:
        return None
    return Doubt(
        DiscrepancyKind.DUPLICATE,
        f"The provider has a second object {reference} for session {session.pk}, whose object is"
        f" {session.provider_reference}. It was not touched.",
    )


def doubt_of_refund(
    locked: LockedCollection, session: PaymentSession, seen: ProviderRefund
) -> Doubt | None:
    """Whether a refund gives back this session's money."""
    doubt = doubt_of_reference(locked, session, seen.payment_reference)
    if doubt is not None:
        return replace(
            doubt, detail=f"Refund {seen.reference}: {doubt.detail}", amount_minor=seen.amount_minor
        )
    if seen.currency_code not in ("", session.money_currency_code):
        return Doubt(
            DiscrepancyKind.CURRENCY,
            f"Refund {seen.reference} is in {seen.currency_code}, the payment in"
            f" {session.money_currency_code}. It was not recorded.",
            seen.amount_minor,
            seen.currency_code[:3],
        )
    return None


def _owner_of(locked: LockedCollection, reference: str, *, beside: PaymentSession) -> str:
    if reference not in locked.owners:
        locked.owners[reference] = _read_owner_of(reference, beside=beside)
    return locked.owners[reference]


def _read_owner_of(reference: str, *, beside: PaymentSession) -> str:
    rows = PaymentSession.all_objects.using(database_alias()).exclude(pk=beside.pk)
    own = provider_ids_with(get_provider(beside.provider_id).credentials)
    same = rows.filter(provider_reference=reference, provider_id__in=own)
    return same.values_list("pk", flat=True).first() or ""


def _doubt_of_outcome(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, outcome: Outcome
) -> Doubt | None:
    doubt = None
    if outcome.payment is not None:
        doubt = doubt_of_payment(locked, session, outcome.payment) or _doubt_of_currency(
            session, outcome.payment
        )
        if doubt is None and isinstance(outcome, Succeeded):
            doubt = _doubt_of_amount(locked, session, call, outcome.payment)
    if doubt is None and outcome.refund is not None and call.kind == CallKind.REFUND:
        doubt = _doubt_of_own_refund(locked, session, call, outcome.refund)
    return doubt


def _doubt_of_currency(session: PaymentSession, seen: ProviderPayment) -> Doubt | None:
    if seen.currency_code == session.money_currency_code:
        return None
    detail = (
        f"Asked for {session.money_currency_code}, the answer tells of {seen.reference} in"
        f" {seen.currency_code}."
    )
    return Doubt(DiscrepancyKind.CURRENCY, detail)


def _doubt_of_amount(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, seen: ProviderPayment
) -> Doubt | None:
    asked, told = call.arguments.get("amount_minor"), seen.amount_minor
    if call.kind in (CallKind.INITIATE, CallKind.UPDATE):
        return None if told == asked else _amount(asked, told, seen.reference)
    if told != session.provider_amount_minor and not is_expected(locked, session, seen):
        return _amount(session.amount_minor, told, seen.reference)
    if call.kind == CallKind.CAPTURE and not _explains(call, seen):
        return _amount(asked, seen.captured_minor, seen.reference)
    return None


def _explains(call: ProviderCall, seen: ProviderPayment) -> bool:
    """Whether a capture that succeeded can have left what was seen.

    Where an authorization is captured more than once, other captures are part of it too. One that
    took nothing yet is no success; it is looked up without more ado.
    """
    asked, taken = call.arguments["amount_minor"], seen.captured_minor
    is_only_one = get_provider(call.provider_id).capabilities.captures_per_authorization == 1
    return taken in (0, asked) or (taken > asked and not is_only_one)


def _doubt_of_own_refund(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, seen: ProviderRefund
) -> Doubt | None:
    if doubt := doubt_of_refund(locked, session, seen):
        return doubt
    asked = call.arguments["amount_minor"]
    if seen.refund_id not in ("", call.refund_id) or _is_of_another(call, seen):
        return Doubt(
            DiscrepancyKind.STATUS,
            f"Asked for refund {call.refund_id}, the answer tells of {seen.reference}, which is"
            " another one.",
            asked,
        )
    return None if seen.amount_minor == asked else _amount(asked, seen.amount_minor, seen.reference)


def _is_of_another(call: ProviderCall, seen: ProviderRefund) -> bool:
    rows = Refund.objects.using(database_alias()).filter(payment=call.payment_id)
    return rows.filter(provider_reference=seen.reference).exclude(pk=call.refund_id).exists()


def _amount(asked: int | None, told: int, reference: str) -> Doubt:
    return Doubt(
        DiscrepancyKind.AMOUNT,
        f"Asked for {asked}, the answer tells of {told} for {reference} (smallest unit).",
        abs(told - (asked or 0)),
    )
