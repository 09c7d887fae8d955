"""One POST that carried an Idempotency-Key, and its answer once that is certain."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from medusa_payments.ids import id_beside, new_id
from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField


class KeyedRequest(models.Model):
    """No payment record: it is deleted for good once its retention is over, or when its request
    did nothing. What the request did stays in the records that it made.

    A record that the request makes takes the request's own id with another prefix, so that the
    database refuses a second one, whatever died between the act and its stored answer.
    """

    ID_PREFIX: ClassVar[str] = "keyreq"

    id = IdentifierField(primary_key=True, max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Of the caller and the key: another caller's equal key is another request.
    key_digest = models.CharField(max_length=64, unique=True, editable=False)
    request_digest = models.CharField(max_length=64, editable=False)
    actor_id = IdentifierField(editable=False)
    path = models.TextField(editable=False)

    # While it is in flight. ``lease_token`` is a fencing token, as that of a provider call.
    lease_token = models.PositiveBigIntegerField(default=1, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)

    status = models.PositiveSmallIntegerField(null=True, editable=False)
    # JSON as it was sent, but without a session's client_secret.
    body = models.TextField(blank=True, default="", editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__isnull=True) | Q(leased_until__isnull=True),
                name="keyed_request_answered_or_in_flight",
            ),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.id:
            self.id = new_id(self.ID_PREFIX)

    def __str__(self) -> str:
        return str(self.id)

    def id_for(self, model: type[Record]) -> str:
        """The id of the one record of this kind that the request makes."""
        return id_beside(model.ID_PREFIX, self.id)
