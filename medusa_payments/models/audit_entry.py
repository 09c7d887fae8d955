"""One change of a money state. Append-only and chained, so that an edit shows."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from medusa_payments.errors import ImmutableRecord
from medusa_payments.models.account_holder import AccountHolder
from medusa_payments.models.base import KeptQuerySet
from medusa_payments.models.fields import IdentifierField
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.statuses import Door


class AppendOnlyQuerySet(KeptQuerySet):
    def update(self, **values: Any) -> int:
        raise ImmutableRecord

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise ImmutableRecord


class AuditEntry(models.Model):
    """``before`` and ``after`` are canonical JSON *text*: the hash covers what was written, not
    what a database makes of it when it is read back. ``actor`` is text, so that deleting a user
    changes no entry."""

    # Whose chain it belongs to: one of the two.
    payment_collection = models.ForeignKey(
        PaymentCollection, null=True, on_delete=models.PROTECT, related_name="audit_entries"
    )
    account_holder = models.ForeignKey(
        AccountHolder, null=True, on_delete=models.PROTECT, related_name="audit_entries"
    )
    number = models.BigIntegerField()
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=32)
    subject_id = IdentifierField(db_index=True)
    actor = IdentifierField()
    door = models.CharField(max_length=16, choices=Door)
    cause = IdentifierField(blank=True, default="")
    before = models.TextField()
    after = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects: ClassVar[models.Manager[AuditEntry]] = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(
                fields=["payment_collection", "number"], name="audit_entry_numbered_once"
            ),
            models.UniqueConstraint(
                fields=["account_holder", "number"], name="audit_entry_of_holder_numbered_once"
            ),
            models.CheckConstraint(
                condition=models.Q(payment_collection__isnull=False, account_holder__isnull=True)
                | models.Q(payment_collection__isnull=True, account_holder__isnull=False),
                name="audit_entry_belongs_to_one_chain",
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="audit_entry_number_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} #{self.number} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ImmutableRecord
        kwargs["force_insert"] = True  # else a given primary key would overwrite an entry
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise ImmutableRecord

    @property
    def chain_id(self) -> str:
        return str(self.payment_collection_id or self.account_holder_id)

    def computed_hash(self) -> str:
        """Digest of everything the entry says and of the entry before it."""
        parts = (
            self.previous_hash,
            self.chain_id,
            str(self.number),
            self.action,
            self.subject_type,
            self.subject_id,
            self.actor,
            self.door,
            self.cause,
            self.before,
            self.after,
            self.created_at.isoformat(),
        )
        # Lengths keep ("ab", "c") apart from ("a", "bc").
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()
