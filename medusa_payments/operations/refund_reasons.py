"""Why money went back: labels that a shop's staff choose from."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction

from medusa_payments.errors import NotFound
from medusa_payments.models import RefundReason
from medusa_payments.operations.database import database_alias, patiently


class RefundReasonChanges(TypedDict, total=False):
    label: str
    code: str
    description: str | None


def create_refund_reason(
    *,
    label: str,
    code: str,
    description: str | None = None,
    metadata: dict[str, Any] | None = None,
    reason_id: str = "",
) -> RefundReason:
    """Codes are not unique, as in Medusa.

    ``reason_id``: made with ``ids.new_id``; a second call with it returns the first's reason.
    """
    reason = RefundReason(
        id=reason_id, label=label, code=code, description=description, metadata=metadata
    )
    try:
        patiently(lambda: _insert(reason))
    except IntegrityError:
        same: RefundReason = RefundReason.all_objects.using(database_alias()).get(pk=reason.pk)
        return same
    return reason


def _insert(reason: RefundReason) -> None:
    with transaction.atomic(using=database_alias()):
        reason.save(force_insert=True, using=database_alias())


def update_refund_reason(
    reason: RefundReason, **changes: Unpack[RefundReasonChanges]
) -> RefundReason:
    """Change what is named; the rest stays.

    :raises NotFound: it was deleted.
    """
    rows = RefundReason.objects.using(database_alias())
    current: RefundReason | None = rows.filter(pk=reason.pk).first()
    if current is None:
        raise NotFound(f'RefundReason with id "{reason.pk}" not found')
    for name, value in changes.items():
        setattr(current, name, value)
    if changes:
        columns = [*changes, "updated_at"]
        patiently(lambda: current.save(update_fields=columns, using=database_alias()))
    return current


def delete_refund_reason(reason: RefundReason) -> RefundReason:
    """Soft-delete: refunds keep its id. A second time does nothing."""
    patiently(reason.delete)
    return reason
