"""Scans of a provider's ledger: how far each has come, and what it found."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from medusa_payments.models.base import Record
from medusa_payments.models.discrepancy import Discrepancy
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.statuses import LedgerClass, LedgerKind, LedgerScanState


class LedgerScan(Record):
    """``watermark`` is saved together with what was found until there, so that a scan that was
    killed goes on from it. ``lease_token`` is a fencing token, as that of a call."""

    ID_PREFIX = "lscan"

    credentials = IdentifierField()  # the account, which several providers may share
    provider_id = IdentifierField()  # the one that was asked
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=LedgerScanState, default=LedgerScanState.RUNNING
    )
    watermark = models.DateTimeField(null=True)  # every object made before it is classed
    # [object, currency, class, objects, amount there, amount here], amounts in smallest units
    figures = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)
    lease_token = models.PositiveBigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(since__lt=F("until")), name="ledger_scan_begins_before_it_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["credentials", "state"], name="ledger_scan_of_account"),
        ]


class LedgerFinding(Record):
    """What was not matched, on either side. Amounts in the smallest unit of ``currency_code``."""

    ID_PREFIX = "lfind"

    scan = models.ForeignKey(LedgerScan, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=16, choices=LedgerKind)
    ledger_class = models.CharField(max_length=16, choices=LedgerClass)
    provider_reference = IdentifierField(blank=True, default="")
    payment_reference = IdentifierField(blank=True, default="")
    session_mark = IdentifierField(blank=True, default="")  # what the object says, known or not
    record_id = IdentifierField(blank=True, default="")  # the session or refund here
    payment_session = models.ForeignKey(
        PaymentSession, null=True, on_delete=models.PROTECT, related_name="+"
    )
    currency_code = models.CharField(max_length=8, blank=True, default="")
    there_minor = amount_field(null=True)
    here_minor = amount_field(null=True)
    detail = models.TextField(blank=True, default="")
    discrepancy = models.ForeignKey(
        Discrepancy, null=True, on_delete=models.PROTECT, related_name="ledger_findings"
    )
