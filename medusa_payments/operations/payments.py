"""What acts on a payment share: reading it under the lock, and again after the act."""

from __future__ import annotations

from typing import Any, TypeVar

from medusa_payments.models import Capture, Payment, ProviderCall, Refund
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.providers.types import NOT_REACHED

MovementType = TypeVar("MovementType", Capture, Refund)


def update_payment(payment: Payment, *, metadata: dict[str, Any], actor: Actor = SYSTEM) -> Payment:
    """Replace what the shop keeps beside a payment. Asks no provider."""

    def work(locked: LockedCollection) -> Payment:
        current = locked_payment(locked, payment)
        locked.change(current, "payment.described", metadata=metadata)
        return current

    return under_lock(payment.payment_collection_id, work, actor=actor)


def locked_payment(locked: LockedCollection, payment: Payment) -> Payment:
    current: Payment = Payment.objects.using(database_alias()).get(pk=payment.pk)
    current.payment_session = locked.session(current.payment_session_id)
    current.payment_collection = locked.collection
    return current


def reload(movement: MovementType) -> MovementType:
    rows = type(movement)._default_manager.using(database_alias())
    current: MovementType = rows.select_related("payment").get(pk=movement.pk)
    return current


def was_unavailable(movement: Capture | Refund) -> bool:
    """Whether it failed only because the provider could not be asked."""
    rows = ProviderCall.objects.using(database_alias())
    own = {f"{movement._meta.model_name}_id": movement.pk}
    return rows.filter(**own, failure_kind__in=NOT_REACHED).exists()
