"""What holds the automatic acts back: the kill switch, and caps on how much is undone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField, amount_field


class AutomationStop(Record):
    """The kill switch: while one is active, nothing is undone and nothing is sent again by itself.

    Reading and recording go on. Kept after it is lifted: who stopped it, when and why.
    """

    ID_PREFIX = "stop"

    provider_id = IdentifierField(blank=True, default="")  # empty: every provider
    # Equal to provider_id (or "*") while active, else null: one active stop for each.
    active_key = IdentifierField(null=True, unique=True, editable=False)
    reason = models.TextField()
    stopped_by = IdentifierField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = IdentifierField(blank=True, default="")

    class Meta:
        permissions = [("stop_automation", "Can stop and resume automatic acts")]
        constraints = [
            models.CheckConstraint(
                condition=Q(active_key__isnull=False, lifted_at__isnull=True)
                | Q(active_key__isnull=True, lifted_at__isnull=False),
                name="automation_stop_active_or_lifted",
            ),
        ]


class UndoingAllowance(models.Model):
    """How much was undone by itself within one cap's scope: a run, or a day.

    Raised by compare-and-set before an act is written, so that parallel workers together stay
    within the cap; the rules are in ``operations/caps.py``.
    """

    scope = IdentifierField()  # "run:<id>" or "day:<date>"
    provider_id = IdentifierField()  # empty: all together
    currency_code = models.CharField(max_length=3)  # empty: of acts in whatever currency
    acts = models.PositiveIntegerField(default=0)
    amount_minor = amount_field(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[UndoingAllowance]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "provider_id", "currency_code"], name="undoing_allowance_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.provider_id} {self.currency_code}"
