"""What every record shares: it is kept for ever, and tells its state of money for the audit.

django-safedelete's defaults undelete on ``save()``, rewrite every column on a soft delete, move
the time stamp on a second one, revive rows in ``update_or_create`` and hard-delete on request.
The classes here close each of these doors; ``tests/models/test_soft_deletion.py`` opens them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NoReturn, Self

from django.db import models
from django.utils import timezone
from safedelete.config import (
    DELETED_INVISIBLE,
    DELETED_ONLY_VISIBLE,
    DELETED_VISIBLE,
    SOFT_DELETE,
)
from safedelete.managers import SafeDeleteManager
from safedelete.models import SafeDeleteModel
from safedelete.queryset import SafeDeleteQueryset

from medusa_payments.errors import ImmutableRecord
from medusa_payments.ids import new_id
from medusa_payments.models.fields import IdentifierField


class KeptQuerySet(models.QuerySet[Any]):
    """A queryset that deletes nothing."""

    def delete(self) -> NoReturn:
        raise ImmutableRecord

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise ImmutableRecord


class Record(models.Model):
    """A row that is never deleted."""

    ID_PREFIX: ClassVar[str]
    MONEY_FIELDS: ClassVar[tuple[str, ...]] = ()

    id = IdentifierField(primary_key=True, max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = KeptQuerySet.as_manager()

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.id:
            self.id = new_id(self.ID_PREFIX)

    def __str__(self) -> str:
        return str(self.id)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise ImmutableRecord

    def money_state(self) -> dict[str, Any]:
        """The part of the row that says where money is; what the audit trail records."""
        return {name: getattr(self, name) for name in self.MONEY_FIELDS}


class SoftDeletableQuerySet(SafeDeleteQueryset):
    """Reads as django-safedelete does; writes exactly what it reads; erases nothing."""

    def update(self, **values: Any) -> int:
        # SafeDeleteQueryset.update() skips deleted rows even of all_objects.
        queryset = self.all()
        queryset.query._filter_visibility()
        return models.QuerySet.update(queryset, **values)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self, force_policy: int | None = None) -> tuple[int, dict[str, int]]:
        """Soft-delete row by row; rows that are deleted already keep their first time stamp."""
        if force_policy not in (None, SOFT_DELETE):
            raise ImmutableRecord
        counts = [row.delete()[0] for row in self.all()]
        return sum(counts), {self.model._meta.label: sum(counts)}

    delete.alters_data = True  # type: ignore[attr-defined]

    def hard_delete_policy_action(self) -> NoReturn:
        raise ImmutableRecord

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise ImmutableRecord

    def undelete(self, force_policy: int | None = None) -> NoReturn:
        raise ImmutableRecord


class LiveManager(SafeDeleteManager):
    """Rows that are not soft-deleted."""

    _safedelete_visibility = DELETED_INVISIBLE
    _queryset_class = SoftDeletableQuerySet

    def update_or_create(
        self,
        defaults: Mapping[str, Any] | None = None,
        create_defaults: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, bool]:
        # SafeDeleteManager.update_or_create() revives a deleted row.
        rows: models.QuerySet[Any] = self.all()
        return rows.update_or_create(defaults, create_defaults, **kwargs)


class AllManager(LiveManager):
    """All rows, soft-deleted ones too."""

    _safedelete_visibility = DELETED_VISIBLE


class DeletedManager(LiveManager):
    _safedelete_visibility = DELETED_ONLY_VISIBLE


class SoftDeletableRecord(SafeDeleteModel, Record):
    """A row that can be hidden from ordinary reads, once, and is never erased or revived."""

    _safedelete_policy = SOFT_DELETE
    LIVE_COLUMNS: ClassVar[tuple[str, ...]] = ()  # null once deleted

    # django-safedelete is not typed for managers of one's own.
    objects = LiveManager()  # type: ignore[misc, assignment]
    all_objects = AllManager()  # type: ignore[misc, assignment]
    deleted_objects = DeletedManager()  # type: ignore[misc, assignment]

    deleted: datetime | None
    deleted_by_cascade = None

    class Meta:
        abstract = True

    def save(self, keep_deleted: bool = True, **kwargs: Any) -> None:
        """Save; a deleted row stays deleted, whatever ``keep_deleted`` says."""
        models.Model.save(self, **kwargs)

    def delete(  # type: ignore[override]
        self, force_policy: int | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        if force_policy not in (None, SOFT_DELETE):
            raise ImmutableRecord
        self._refuse_direct_deletion()
        rows: models.QuerySet[Self] = type(self).objects.filter(pk=self.pk)
        self.deleted = self.deleted or timezone.now()
        count = rows.update(deleted=self.deleted, **dict.fromkeys(self.LIVE_COLUMNS))
        return count, {self._meta.label: count}

    def _refuse_direct_deletion(self) -> None:
        """Overridden where deleting has consequences that only an operation can handle."""

    def undelete(self, force_policy: int | None = None, **kwargs: Any) -> NoReturn:
        raise ImmutableRecord
