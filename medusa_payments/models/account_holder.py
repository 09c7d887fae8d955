"""The shop's customer at a provider."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.errors import ImmutableRecord
from medusa_payments.models.base import SoftDeletableRecord
from medusa_payments.models.fields import IdentifierField
from medusa_payments.models.recorded_call import RecordedCall, rules_of_calls
from medusa_payments.statuses import AccountHolderCallKind, AccountHolderState


class AccountHolder(SoftDeletableRecord):
    """Committed before the provider is asked to make it, so ``external_id`` is empty until known.

    Its ``version`` is the lock of it and of its calls; see ``operations/holder_locking.py``.
    """

    ID_PREFIX = "acchld"
    LIVE_COLUMNS = ("live_customer_reference", "live_external_id")
    # Who the customer is stays out: an audit entry can never be erased.
    MONEY_FIELDS = ("provider_id", "external_id", "state")

    provider_id = IdentifierField()
    customer_reference = IdentifierField(blank=True, default="")  # the shop's own id of them
    external_id = IdentifierField(blank=True, default="")
    # Equal to the columns of these names while live and known, else null.
    live_customer_reference = IdentifierField(null=True, editable=False)
    live_external_id = IdentifierField(null=True, editable=False)
    state = models.CharField(
        max_length=16, choices=AccountHolderState, default=AccountHolderState.REQUESTED
    )
    email = models.EmailField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    version = models.BigIntegerField(default=0, editable=False)
    audit_length = models.BigIntegerField(default=0, editable=False)
    audit_head = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_id", "live_external_id"], name="account_holder_once_while_live"
            ),
            models.UniqueConstraint(
                fields=["provider_id", "live_customer_reference"],
                name="account_holder_customer_once_while_live",
            ),
            models.CheckConstraint(
                condition=Q(live_external_id__isnull=True, live_customer_reference__isnull=True)
                | Q(deleted__isnull=True),
                name="account_holder_live_columns",
            ),
            models.CheckConstraint(
                condition=~Q(state=AccountHolderState.ACTIVE) | ~Q(external_id=""),
                name="account_holder_active_is_known_there",
            ),
        ]

    def _refuse_direct_deletion(self) -> None:
        if self.deleted is None:
            raise ImmutableRecord(
                "Delete an account holder with operations.account_holders.delete_account_holder(),"
                " which makes the provider forget it too."
            )


class AccountHolderCall(RecordedCall):
    """One thing asked of a provider about an account holder or its payment methods."""

    ID_PREFIX = "ahcall"

    kind = models.CharField(max_length=32, choices=AccountHolderCallKind)
    account_holder = models.ForeignKey(
        AccountHolder, on_delete=models.PROTECT, related_name="provider_calls"
    )

    class Meta:
        constraints = rules_of_calls("account_holder_call")
