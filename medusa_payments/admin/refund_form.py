"""What a person fills in before a bulk refund, and the checks that ask nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from medusa_payments.admin.display import badge, money
from medusa_payments.errors import ConfigurationError, MedusaPaymentsError, UnknownProvider
from medusa_payments.ids import new_id
from medusa_payments.models import Payment, Refund, RefundReason
from medusa_payments.money import decimals, to_major, to_minor
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.totals import PaymentTotals, totals_of_payments
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import UNRESOLVED_MOVEMENTS

# One row is one request to the provider, and all are made before the page answers.
MOST_ROWS = 100
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Candidate:
    """A payment that was chosen, and what is known of it now."""

    payment: Payment
    sums: PaymentTotals
    refunds: list[Refund] = field(default_factory=list)

    @property
    def captured(self) -> str:
        return self._money(self.sums.captured_minor)

    @property
    def refunded(self) -> str:
        return self._money(self.sums.refunded_minor)

    @property
    def refundable(self) -> str:
        return self._money(self.sums.refundable_minor)

    def refund_of(self, request_key: str) -> Refund | None:
        """The refund that this key already made, or took up."""
        return next((each for each in self.refunds if each.was_asked_as(request_key)), None)

    def plain_refundable(self) -> str:
        """As an amount field takes it: no grouping, a point, all decimals."""
        code = self.payment.currency_code
        amount = to_major(self.sums.refundable_minor, code)
        return f"{amount:.{decimals(code)}f}"

    def why_skipped(self) -> str:
        """Why nothing can be refunded; empty when something can."""
        if not self._has_provider():
            return f"Its provider {self.payment.provider_id} is not in the settings any more."
        if self.sums.refundable_minor:
            return ""
        if self.payment.is_canceled:
            return "It was canceled; nothing was taken."
        if not self.sums.captured_minor:
            return "Nothing was captured yet."
        return self._why_nothing_is_left()

    def _why_nothing_is_left(self) -> str:
        uncertain = sum(r.amount_minor for r in self.refunds if r.status in UNRESOLVED_MOVEMENTS)
        if uncertain:
            return f"A refund of {self._money(uncertain)} is not known yet; it stays reserved."
        if self.sums.disputed_minor:
            return f"The customer's bank disputes {self._money(self.sums.disputed_minor)}."
        return "Everything was refunded already."

    def _has_provider(self) -> bool:
        try:
            get_provider(self.payment.provider_id)
        except (UnknownProvider, ConfigurationError):
            return False
        return True

    def _money(self, amount_minor: int) -> str:
        return money(amount_minor, self.payment.currency_code)


def candidates(payments: Iterable[Payment]) -> dict[str, Candidate]:
    """By the payment's id, in the given order; four queries for all."""
    payments = list(payments)
    sums = totals_of_payments(payments)
    found = {each.pk: Candidate(each, sums[each.pk]) for each in payments}
    refunds = Refund.objects.using(database_alias()).filter(payment__in=payments).order_by("pk")
    for refund in refunds:
        found[refund.payment_id].refunds.append(refund)
    return found


class RefundRowForm(forms.Form):
    """One payment. ``request_key`` was minted when the page was made, so that sending the page
    twice is the same act."""

    payment = forms.CharField(widget=forms.HiddenInput)
    request_key = forms.RegexField(r"^act_[0-9A-Z]{26}$", widget=forms.HiddenInput)
    amount = forms.CharField(
        max_length=40,
        error_messages={"required": "Enter an amount."},
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "autocomplete": "off", "class": "mp-amount"}
        ),
    )

    def __init__(self, *args: Any, candidates: dict[str, Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty_permitted = False  # a formset lets rows beyond the initial ones be empty
        self._candidates = candidates
        label = f"Amount to refund of {self['payment'].value()}"
        self.fields["amount"].widget.attrs["aria-label"] = label

    @property
    def candidate(self) -> Candidate | None:
        return self._candidates.get(self["payment"].value() or "")

    @property
    def earlier(self) -> str:
        """Badge of what this very page already did."""
        key = self["request_key"].value() or ""
        refund = self.candidate.refund_of(key) if self.candidate else None
        return badge(refund.status, f"already asked: {refund.status}") if refund else ""

    def clean_payment(self) -> Payment:
        if self.candidate is None:
            raise forms.ValidationError("This payment does not exist.")
        return self.candidate.payment

    def clean_amount(self) -> Decimal:
        text = self.cleaned_data["amount"].strip()
        if not _NUMBER.fullmatch(text):
            raise forms.ValidationError("Enter a number such as 12.50.")
        return Decimal(text)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if self.candidate is not None and {"request_key", "amount"} <= values.keys():
            self._check_amount(self.candidate, values["amount"], values["request_key"])
        return values

    def _check_amount(self, candidate: Candidate, amount: Decimal, request_key: str) -> None:
        payment = candidate.payment
        try:
            amount_minor = to_minor(amount, payment.currency_code)
            get_provider(payment.provider_id).check_amount(amount_minor, payment.currency_code)
        except MedusaPaymentsError as error:
            self.add_error("amount", error.message)
            return
        is_new = candidate.refund_of(request_key) is None
        if is_new and amount_minor > candidate.sums.refundable_minor:
            self.add_error("amount", f"At most {candidate.refundable} can be refunded.")


RefundRows = forms.formset_factory(
    RefundRowForm, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS, validate_max=True
)


class RefundOptionsForm(forms.Form):
    """What all rows share."""

    reason = forms.ModelChoiceField(
        queryset=RefundReason.objects.none(), required=False, empty_label="No reason"
    )
    note = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2, "cols": 60})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons: QuerySet[RefundReason] = RefundReason.objects.using(database_alias())
        self.fields["reason"].queryset = reasons.order_by("label")  # type: ignore[attr-defined]


def fresh_rows(found: dict[str, Candidate]) -> Any:
    """A row for each payment of which something can be refunded, under a key of its own."""
    initial = [
        {
            "payment": pk,
            "request_key": new_id("act"),
            "amount": each.plain_refundable(),
        }
        for pk, each in found.items()
        if not each.why_skipped()
    ]
    return RefundRows(initial=initial, prefix="rows", form_kwargs={"candidates": found})
