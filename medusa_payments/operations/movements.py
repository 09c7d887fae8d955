"""What is known of payments and their captures, written as rows.

Money that moved without us (in a provider's dashboard, or by automatic capture) becomes a row
too, so that totals are always sums of rows.
"""

from __future__ import annotations

from itertools import combinations

from django.db.models import Model

from medusa_payments.ids import new_id
from medusa_payments.models import (
    Capture,
    Payment,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.doubts import close_doubts
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.proposal_records import close_verdicts
from medusa_payments.operations.totals import payment_totals
from medusa_payments.providers.registry import get_provider
from medusa_payments.redaction import without_client_secret
from medusa_payments.statuses import (
    UNRESOLVED_MOVEMENTS,
    CallState,
    DiscrepancyKind,
    Evidence,
    MovementStatus,
    ProviderState,
    Severity,
)

_MOST_OPEN_CAPTURES = 6  # of unknown outcome at once; more are not tried in every combination


def payment_of(locked: LockedCollection, session: PaymentSession) -> Payment | None:
    """The session's payment, made as soon as money was shown to be held or taken."""
    if not session.has_money and session.authorized_at is None:
        return None
    payment = Payment.objects.using(database_alias()).filter(payment_session=session).first()
    if payment is None:
        payment = _add_payment(locked, session)
    if payment is not None:
        session.payment = payment
    return payment


def _add_payment(locked: LockedCollection, session: PaymentSession) -> Payment:
    locked.totals_changed = True
    payment: Payment = locked.add(
        Payment(
            payment_collection=locked.collection,
            payment_session=session,
            provider_id=session.provider_id,
            currency_code=session.money_currency_code,
            amount_minor=session.provider_amount_minor or session.amount_minor,
            data=without_client_secret(session.data),
            created_at=locked.now,
        ),
        "payment.created",
    )
    tell_of(locked, "payment_authorized", payment)
    return payment


def tell_of(locked: LockedCollection, signal: str, payment: Payment, **also: Model) -> None:
    """Tell the shop of its payments.

    Money that came in under a session already set aside is not one: a shop that marks orders paid
    would take a ghost for it. ``session_resolved`` tells of that. Nor is money in another currency
    than was asked for; its discrepancy tells.
    """
    session = payment.payment_session
    if payment.currency_code != session.currency_code:
        return
    was_known = session.deleted is None or payment.created_at < session.deleted
    if was_known or session.counts_for_collection:
        locked.tell(signal, payment=payment, **also)


def finish_call(
    locked: LockedCollection,
    call: ProviderCall,
    state: CallState,
    *,
    evidence: Evidence,
    is_provisional: bool = False,
) -> None:
    """Give a call its final state, with the evidence for it."""
    if call.state == state and not call.is_provisional:
        return
    if call.state == CallState.INDETERMINATE:
        close_verdicts(locked, call)
    elif call.is_provisional and call.evidence == Evidence.OPERATOR and call.state != state:
        _report_overturned(locked, call, state)
    is_look_owed = locked.owes_look(call)
    locked.change(
        call,
        f"call.{state}",
        state=state,
        evidence=evidence,
        evidence_reference=locked.cause,
        is_provisional=is_provisional,
        next_attempt_at=locked.now if is_look_owed else None,
    )
    reason = f"{state} by {evidence}"
    if call.looks:
        close_by_evidence(locked, DiscrepancyKind.UNRESOLVED, about=call.pk, reason=reason)
    close_doubts(locked, call, reason=reason)


def _report_overturned(locked: LockedCollection, call: ProviderCall, state: CallState) -> None:
    """A person had said otherwise, and others may have relied on it."""
    persons = call.evidence_reference
    open_discrepancy(
        locked,
        DiscrepancyKind.STATUS,
        about=f"{call.capture_id or call.refund_id or call.pk}:overturned",
        detail=(
            f"The {call.kind} was {call.state} by the word of {persons}; the provider shows that"
            f" it {state}."
        ),
        not_known="What was done meanwhile because of that word.",
        severity=Severity.CRITICAL,
        session=call.payment_session,
        amount_minor=call.arguments.get("amount_minor"),
        provider_call=call,
    )


def movement_of(call: ProviderCall) -> Capture | Refund | None:
    """The capture or refund that a call asks for."""
    movement: Capture | Refund | None = None
    if call.capture_id:
        captures = Capture.objects.using(database_alias()).select_related("payment")
        movement = captures.get(pk=call.capture_id)
    elif call.refund_id:
        refunds = Refund.objects.using(database_alias()).select_related("payment")
        movement = refunds.get(pk=call.refund_id)
    return movement


def settle_captures(
    locked: LockedCollection, session: PaymentSession, payment: Payment, *, evidence: Evidence
) -> None:
    """Tie what the provider took to capture rows, and end what can no longer be taken."""
    captures = list(Capture.objects.using(database_alias()).filter(payment=payment))
    recorded = sum(capture.amount_minor for capture in captures if _is_proven(capture))
    untied = session.captured_minor - recorded
    for capture in _that_add_up_to(untied, _still_open(captures)):
        succeed_capture(locked, capture, evidence=evidence)
        untied -= capture.amount_minor
    if untied > 0:
        _add_external_capture(locked, payment, untied, evidence=evidence)
    elif untied < 0:
        _report_untaken(locked, session, -untied)
    is_over = session.provider_state in (ProviderState.CAPTURED, ProviderState.CANCELED)
    for capture in _still_open(captures) if evidence != Evidence.OPERATOR else ():
        is_claimed = capture.status == MovementStatus.SUCCEEDED
        if is_over or (is_claimed and evidence == Evidence.LOOKUP):
            fail_movement(locked, capture, evidence=evidence)
    _mark_captured(locked, payment)


def _is_proven(capture: Capture) -> bool:
    """Not only by the word of a person, which yields to what the provider shows."""
    return capture.status == MovementStatus.SUCCEEDED and not capture.is_provisional


def _still_open(captures: list[Capture]) -> list[Capture]:
    return [
        capture
        for capture in captures
        if capture.status in UNRESOLVED_MOVEMENTS or capture.is_provisional
    ]


def _that_add_up_to(amount_minor: int, captures: list[Capture]) -> tuple[Capture, ...]:
    """The open captures that explain what was taken: as many as fit exactly."""
    for count in range(min(len(captures), _MOST_OPEN_CAPTURES), 0, -1):
        for chosen in combinations(captures, count):
            if sum(capture.amount_minor for capture in chosen) == amount_minor:
                return chosen
    return ()


def succeed_capture(
    locked: LockedCollection,
    capture: Capture,
    *,
    evidence: Evidence,
    is_provisional: bool = False,
) -> None:
    if _is_proven(capture):
        return
    was_told = capture.status == MovementStatus.SUCCEEDED
    locked.totals_changed = True
    locked.change(
        capture,
        "capture.succeeded",
        status=MovementStatus.SUCCEEDED,
        evidence=evidence,
        is_provisional=is_provisional,
    )
    finish_call_of(
        locked, capture, CallState.SUCCEEDED, evidence=evidence, is_provisional=is_provisional
    )
    if not was_told:
        tell_of(locked, "payment_captured", capture.payment, capture=capture)


def _add_external_capture(
    locked: LockedCollection, payment: Payment, amount_minor: int, *, evidence: Evidence
) -> None:
    locked.totals_changed = True
    session = payment.payment_session
    is_external = not get_provider(payment.provider_id).captures_by_itself(session.data)
    capture = locked.add(
        Capture(
            payment=payment,
            amount_minor=amount_minor,
            status=MovementStatus.SUCCEEDED,
            evidence=evidence,
            request_key=new_id("seen"),
            is_external=is_external,
        ),
        "capture.recorded",
    )
    if is_external and session.counts_for_collection:
        _report_act_elsewhere(locked, payment, "captured", amount_minor)
    tell_of(locked, "payment_captured", payment, capture=capture)


def _report_act_elsewhere(
    locked: LockedCollection, payment: Payment, what: str, amount_minor: int
) -> None:
    open_discrepancy(
        locked,
        DiscrepancyKind.STATUS,
        about=f"{payment.pk}:{what}",
        detail=f"The payment was {what} at the provider, not here; it is recorded.",
        session=payment.payment_session,
        amount_minor=amount_minor,
    )


def record_canceled(locked: LockedCollection, payment: Payment, *, is_ours: bool) -> None:
    """The hold is gone; when nobody here asked for it, a person is told."""
    if payment.canceled_at is not None:
        return
    locked.totals_changed = True
    locked.change(payment, "payment.canceled", canceled_at=locked.now)
    tell_of(locked, "payment_canceled", payment)
    if not is_ours and payment.payment_session.counts_for_collection:
        _report_act_elsewhere(locked, payment, "canceled", payment.amount_minor)


def _report_untaken(locked: LockedCollection, session: PaymentSession, amount_minor: int) -> None:
    open_discrepancy(
        locked,
        DiscrepancyKind.AMOUNT,
        about=f"{session.pk}:captured",
        detail=f"Our captures exceed what the provider took by {amount_minor} (smallest unit).",
        session=session,
        amount_minor=amount_minor,
    )


def _mark_captured(locked: LockedCollection, payment: Payment) -> None:
    if payment.captured_at is None:
        captured = payment_totals(payment).captured_minor
        if captured >= payment.amount_minor:
            locked.change(payment, "payment.captured", captured_at=locked.now)


def fail_movement(
    locked: LockedCollection,
    movement: Capture | Refund,
    *,
    evidence: Evidence,
    is_provisional: bool = False,
) -> None:
    """The money did not move: proven, or provisionally because it was not found."""
    was_failed = movement.status == MovementStatus.FAILED
    was_claimed = isinstance(movement, Capture) and movement.status == MovementStatus.SUCCEEDED
    locked.totals_changed = True
    locked.change(
        movement,
        f"{movement._meta.model_name}.failed",
        status=MovementStatus.FAILED,
        evidence=evidence,
        is_provisional=is_provisional,
    )
    finish_call_of(
        locked, movement, CallState.FAILED, evidence=evidence, is_provisional=is_provisional
    )
    if was_claimed and movement.payment.captured_at is not None:
        locked.change(movement.payment, "payment.not_captured", captured_at=None)
    if isinstance(movement, Refund) and not was_failed:
        tell_of(locked, "refund_failed", movement.payment, refund=movement)


def finish_call_of(
    locked: LockedCollection,
    movement: Capture | Refund,
    state: CallState,
    *,
    evidence: Evidence,
    is_provisional: bool = False,
) -> None:
    call = locked.call_of(movement)
    if call is not None and (call.is_unresolved or call.is_provisional):
        finish_call(locked, call, state, evidence=evidence, is_provisional=is_provisional)
