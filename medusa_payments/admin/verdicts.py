"""Resolving a provider call of unknown outcome by hand."""

from __future__ import annotations

from typing import Any

from django import forms

from medusa_payments.admin.decision_pages import Decision, Line, ReasonForm, Result
from medusa_payments.admin.display import badge, money, record_link
from medusa_payments.models import Proposal, ProviderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.policies import persons_needed
from medusa_payments.operations.verdicts import at_stake, give_verdict
from medusa_payments.statuses import CallKind, ProposalKind, ProposalState, Verdict

_HAPPENED = {
    CallKind.INITIATE: (
        "the payment counts as started. Which object it is stays unknown, so it is looked for"
        " daily, and a discrepancy tells of it."
    ),
    CallKind.CAPTURE: "{amount} counts as captured.",
    CallKind.REFUND: "{amount} counts as given back to the customer.",
    CallKind.CANCEL: "the payment counts as canceled, and nothing is held any more.",
}
_NOT_HAPPENED = {
    CallKind.INITIATE: "the payment counts as never started, and nothing is taken under it.",
    CallKind.CAPTURE: "nothing counts as captured, and {amount} can be captured again.",
    CallKind.REFUND: "nothing counts as given back, and {amount} can be refunded again.",
    CallKind.CANCEL: "the payment counts as not canceled, and its money as held as before.",
}


class VerdictForm(ReasonForm):
    verdict = forms.ChoiceField(
        label="What became of it",
        choices=[(Verdict.HAPPENED, "It happened"), (Verdict.NOT_HAPPENED, "It did not happen")],
        widget=forms.RadioSelect,
    )
    proof = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="What you rest it on, such as the provider's support case. It is kept.",
    )
    field_order = ("verdict", "reason", "proof")


class GiveVerdict(Decision):
    name = "resolve"
    permission = "resolve_providercall"
    title = "Resolve by hand"
    button = "Resolve by hand"
    intro = (
        "Only for what the provider does not tell. Nothing is asked of it here. What it shows"
        " later overrides your word, and where the two differ a discrepancy opens."
    )
    cancel = "Cancel, leave it to reconciliation"
    form = VerdictForm

    def label(self, row: ProviderCall) -> str:
        return "" if _why_not(row) else self.button

    def line(self, row: ProviderCall, *, actor: Actor, site: str) -> Line:
        amount_minor, code = _stake(row)
        amount = money(amount_minor, code)
        needed = persons_needed(amount_minor=amount_minor, currency_code=code)
        kind = CallKind(row.kind)
        consequences = [
            f"If it happened: {_HAPPENED.get(kind, '').format(amount=amount)}",
            f"If it did not: {_NOT_HAPPENED.get(kind, '').format(amount=amount)}",
        ]
        return Line(
            marks=[badge(row.kind), badge(row.state)],
            amount=amount,
            known=["The provider's answer was lost, so it may have happened."],
            will_happen=[*consequences, _when(needed)],
            why_not=_why_not(row),
        )

    def perform(self, row: ProviderCall, *, actor: Actor, site: str, **words: Any) -> Result:
        proposal = give_verdict(
            row,
            verdict=Verdict(words["verdict"]),
            actor=actor,
            reason=words["reason"],
            proof=words["proof"],
        )
        more = record_link(Proposal, proposal.pk, site=site)
        if proposal.state == ProposalState.OPEN:
            return Result(
                "waits", "Yours is the first word. It counts once another person agrees.", more
            )
        return Result("succeeded", "Recorded with your name. Later proof overrides it.", more)


def _stake(call: ProviderCall) -> tuple[int, str]:
    """As the operation counts it, in smallest units."""
    session = call.payment_session
    return at_stake(session, call), session.money_currency_code


def _when(needed: int) -> str:
    if needed > 1:
        return "The amount takes two persons: it counts once another one approves your word."
    return "It counts at once."


def _why_not(call: ProviderCall) -> str:
    if call.is_final:
        return f"Its outcome is known: it {call.state}, by {call.evidence}."
    if call.kind == CallKind.UPDATE:
        return "An update moves no money: start another session in its place instead."
    if call.last_sent_at is None:
        return "It was never sent; reconciliation sends it."
    waiting = call.proposals.filter(kind=ProposalKind.VERDICT, state=ProposalState.OPEN).first()
    return f"A word on it waits for another person: {waiting.pk}." if waiting else ""
