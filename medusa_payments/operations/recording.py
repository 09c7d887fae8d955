"""What every record shares: merging a refund that was seen, and what to do after the commit."""

from __future__ import annotations

from dataclasses import dataclass

from medusa_payments.models import (
    Capture,
    PaymentSession,
    ProviderCall,
    Refund,
    WebhookEvent,
)
from medusa_payments.operations import movements, refund_records, update_records
from medusa_payments.operations.doubts import report_doubt
from medusa_payments.operations.integrity import doubt_of_refund
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.schedule import next_look
from medusa_payments.providers.types import ProviderRefund
from medusa_payments.statuses import CallKind, CallState, Evidence, MovementStatus


@dataclass(frozen=True)
class Recorded:
    """What a record asks its caller to do next."""

    demanded: tuple[ProviderCall, ...] = ()
    send_again: bool = False  # the call that was looked up may be sent now
    carrier: ProviderCall | WebhookEvent | None = None  # owes the shop its signals


def finish(
    locked: LockedCollection,
    carrier: ProviderCall | WebhookEvent,
    *,
    send_again: bool = False,
) -> Recorded:
    """The last step of a record: owe the shop its signals, and say what is demanded."""
    locked.owe_signals(carrier)
    locked.flush()
    looks = (locked.initiate_of(session) for session in locked.needs_look)
    return Recorded((*locked.demanded, *looks), send_again=send_again, carrier=carrier)


def leave_open(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    movement: Capture | Refund | None = None,
) -> None:
    """Asked, and the outcome is not known: the amount stays reserved until it is (law 8)."""
    if call.is_final:
        return
    if call.kind == CallKind.UPDATE:
        update_records.withhold(locked, session)
    when = next_look(call.looks, now=locked.now)
    locked.change(call, "call.indeterminate", state=CallState.INDETERMINATE, next_attempt_at=when)
    if movement is not None and movement.status == MovementStatus.REQUESTED:
        locked.totals_changed = True
        locked.change(
            movement,
            f"{movement._meta.model_name}.indeterminate",
            status=MovementStatus.INDETERMINATE,
        )


def merge_refund_of(
    locked: LockedCollection, session: PaymentSession, seen: ProviderRefund, *, evidence: Evidence
) -> None:
    """Merge a refund; one of a payment that we have not seen taken yet needs a lookup first."""
    payment = movements.payment_of(locked, session)
    if doubt := doubt_of_refund(locked, session, seen):
        report_doubt(locked, session, doubt, about=f"{session.pk}:{seen.reference}")
    elif payment is None:
        locked.look_at(session)
    else:
        refund_records.merge_refund(locked, payment, seen, evidence=evidence)
