"""What every call to a provider has, whatever it is about."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField
from medusa_payments.statuses import UNRESOLVED_CALLS, CallState, Evidence


class RecordedCall(Record):
    """The write-ahead record (law 1).

    ``next_attempt_at`` is null once nothing about the call is left to do, so its index holds just
    the unfinished ones. ``lease_token`` is a fencing token: whoever takes the lease over raises
    it, and an answer under an older token is evidence but no longer writes the call.
    """

    MONEY_FIELDS = ("kind", "state", "generation")

    kind: models.CharField[str, str]  # each model has its own kinds
    provider_id = IdentifierField()

    state = models.CharField(max_length=16, choices=CallState, default=CallState.OPEN)
    evidence = models.CharField(max_length=16, choices=Evidence, blank=True, default=Evidence.NONE)
    evidence_reference = IdentifierField(blank=True, default="")
    # Concluded from not finding something: any proof overrides it.
    is_provisional = models.BooleanField(default=False)
    generation = models.PositiveIntegerField(default=1)
    arguments = models.JSONField(default=dict)
    arguments_digest = models.CharField(max_length=64)
    attempts = models.JSONField(default=list)
    provider_reference = IdentifierField(blank=True, default="")
    request_id = IdentifierField(blank=True, default="")
    failure_kind = models.CharField(max_length=32, blank=True, default="")
    failure_code = models.CharField(max_length=100, blank=True, default="")
    # The key can only repeat a useless answer, such as a stored 500.
    key_is_spent = models.BooleanField(default=False)
    first_sent_at = models.DateTimeField(null=True)  # of this generation
    last_sent_at = models.DateTimeField(null=True)

    lease_token = models.PositiveBigIntegerField(default=0)
    leased_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=64, blank=True, default="")  # a sweep, by its run
    next_attempt_at = models.DateTimeField(null=True, db_index=True)
    looks = models.PositiveIntegerField(default=0)  # made on schedule since the answer was lost
    # From when on its outcome was not known, and until when: the time to resolution.
    uncertain_since = models.DateTimeField(null=True, db_index=True)
    resolved_at = models.DateTimeField(null=True)
    signals = models.JSONField(default=list)  # for the shop
    follow_up_at = models.DateTimeField(null=True, db_index=True)  # null once the shop was told
    followed_up_at = models.DateTimeField(null=True)

    # When this process wrote it, by its own monotonic clock.
    written_at: float = float("-inf")

    class Meta:
        abstract = True

    @property
    def idempotency_key(self) -> str:
        """The same on every retry of one generation; never used for anything else (law 4)."""
        return self.id if self.generation == 1 else f"{self.id}:{self.generation}"

    @property
    def was_never_sent(self) -> bool:
        """Written down, and not asked yet."""
        return self.state == CallState.OPEN and self.last_sent_at is None

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED_CALLS

    @property
    def is_final(self) -> bool:
        return not self.is_unresolved


# The same, for the database.
NEVER_SENT = Q(state=CallState.OPEN, last_sent_at__isnull=True)


def rules_of_calls(table: str) -> list[models.BaseConstraint]:
    """The database's own guard of what holds for calls of every kind."""
    return [
        models.CheckConstraint(
            condition=Q(state__in=UNRESOLVED_CALLS) | ~Q(evidence=Evidence.NONE),
            name=f"{table}_final_state_has_evidence",
        ),
        models.CheckConstraint(
            condition=~Q(state__in=UNRESOLVED_CALLS) | Q(next_attempt_at__isnull=False),
            name=f"{table}_unresolved_has_next_attempt",
        ),
        models.CheckConstraint(condition=Q(generation__gte=1), name=f"{table}_generation_positive"),
    ]
