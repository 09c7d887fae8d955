"""The audit trail's actions, causes and fields in words a person reads."""

from __future__ import annotations

from typing import Any

from medusa_payments.admin.display import NOTHING, money, scrub
from medusa_payments.statuses import Door

# {amount}: the row's own amount, after the change.
SENTENCES = {
    "collection.created": "Collection opened: {amount} is owed",
    "collection.repriced": "Amount owed set to {amount}",
    "collection.described": "The collection's details were changed",
    "collection.completed": "Collection completed",
    "collection.cancel_requested": "The shop cancels the collection: nothing more is taken for it",
    "collection.deleted": "Collection deleted",
    "collection.totals": "Totals and status worked out from the rows",
    "session.restored": "Record of {amount} restored: the provider holds an object with this mark",
    "session.requested": "Payment session over {amount} written down",
    "session.marked_as_paid": "The shop marks the collection as paid with this session",
    "session.answered": "Session took over the provider's answer",
    "session.seen_response": "The provider's answer showed where the payment stands",
    "session.seen_webhook": "The provider's event showed where the payment stands",
    "session.seen_lookup": "A lookup showed where the payment stands",
    "session.seen_operator": "An operator stated where the payment stands",
    "session.failed": "Session refused or declined",
    "session.pending": "Session waits for the buyer",
    "session.requires_more": "Session waits for the buyer to authenticate",
    "session.pending_authorization": "The provider is working on the payment",
    "session.authorized": "Session authorized: {amount}",
    "session.captured": "Session captured",
    "session.canceled": "Session canceled",
    "session.error": "Session failed; nothing can be taken under it",
    "session.replaced": "Session replaced by a new one and soft-deleted",
    "session.deleted": "Session soft-deleted by the shop",
    "session.indeterminate": "Session set aside: nobody knew whether {amount} was taken",
    "session.withheld": "It is not known what the payment asks for: buyers are not let pay it",
    "session.funded": "A part of the amount was paid in at the provider",
    "session.described": "The session's metadata was changed",
    "session.updated": "The provider's payment asks for {amount} from now on",
    "session.reopened": "Session is unresolved again: later proof came",
    "session.resolved_not_created": "Resolved: the provider never made this payment",
    "session.resolved_closed": "Resolved: nothing was taken and nothing can be any more",
    "session.resolved_refunded": "Resolved: what was taken is back with the customer",
    "session.resolved_adopted": "Resolved: the money is kept for this collection",
    "session.resolved_written_off": "Resolved: written off",
    "call.initiate": "About to ask the provider to start the payment",
    "call.capture": "About to ask the provider for a capture of {amount}",
    "call.refund": "About to ask the provider for a refund of {amount}",
    "call.update": "About to ask the provider to change the amount to {amount}",
    "call.cancel": "About to ask the provider to cancel",
    "call.restored": "The call that made the object is written down after the fact",
    "call.answered": "The provider's answer to the call was recorded",
    "call.looked_up": "The call was looked up at the provider",
    "call.scheduled": "The call's next look was set",
    "call.renewed": "The old key can do nothing any more: a new generation was opened",
    "call.reopened": "The call is unresolved again: it was sent once more and no answer came",
    "call.indeterminate": "The answer to the call was lost: it may have happened",
    "call.succeeded": "The call is known to have succeeded",
    "call.failed": "The call is known to have done nothing",
    "call.claimed": "A person says that the call happened; the provider has not shown it yet",
    "payment.created": "Payment of {amount} recorded",
    "payment.described": "The payment's metadata was changed",
    "payment.captured": "Payment fully captured",
    "payment.not_captured": "Payment is not fully captured after all",
    "payment.not_canceled": "Payment is not canceled after all",
    "payment.canceled": "Payment canceled; the held money is released",
    "capture.requested": "Capture of {amount} written down",
    "capture.recorded": "Capture of {amount}, made at the provider, recorded",
    "capture.succeeded": "Capture of {amount} succeeded",
    "capture.failed": "Capture of {amount} failed: nothing was taken",
    "capture.indeterminate": "Capture of {amount} is uncertain; its amount stays reserved",
    "refund.requested": "Refund of {amount} written down",
    "refund.recorded": "Refund of {amount}, made at the provider, recorded",
    "refund.seen": "Refund of {amount} found at the provider",
    "refund.amount_seen": "The provider's refund is over another amount: {amount}",
    "refund.pending": "Refund of {amount} accepted; its result comes later",
    "refund.succeeded": "Refund of {amount} succeeded",
    "refund.claimed": "A person says that {amount} was given back; there is no proof yet",
    "refund.failed": "Refund of {amount} failed: nothing was given back",
    "refund.indeterminate": "Refund of {amount} is uncertain; its amount stays reserved",
    "dispute.recorded": "The customer's bank disputes {amount}",
    "dispute.seen": "The dispute over {amount} moved on",
    "holder.requested": "Account holder written down",
    "holder.active": "The provider knows the account holder",
    "holder.seen": "The provider made the account holder after it was deleted here",
    "holder.failed": "The provider keeps no such account holder",
    "holder.updated": "The account holder's details were changed at the provider",
    "holder.deleting": "Account holder soft-deleted; the provider is asked to forget it",
    "holder.deleted": "The provider has forgotten the account holder",
    "holder_call.create": "About to ask the provider to make the account holder",
    "holder_call.update": "About to ask the provider to change the account holder's details",
    "holder_call.delete": "About to ask the provider to forget the account holder",
    "holder_call.save_payment_method": "About to ask the provider to save a payment method",
    "holder_call.delete_payment_method": "About to ask the provider to forget a payment method",
    "discrepancy.opened": "Discrepancy opened: a person must decide",
    "discrepancy.seen": "The discrepancy is about {amount} by now",
    "discrepancy.closed": "Discrepancy closed",
    "proposal.opened": "Proposal of {amount}: a person's word is needed",
    "proposal.agreed": "A person agreed to the proposal of {amount}",
    "proposal.refused": "A person refused the proposal of {amount}",
    "proposal.approved": "Proposal of {amount} approved: it is carried out",
    "proposal.rejected": "Proposal of {amount} rejected: nothing is asked",
    "proposal.done": "Proposal of {amount} closed: it is done, or not needed any more",
    "proposal.outgrown": "Proposal of {amount} closed: something else is needed by now",
    "event.stored": "Event stored",
    "event.applied": "Event applied",
    "event.parked": "Event cannot be applied yet; it is tried again",
    "event.quarantined": "Event quarantined: it changes nothing",
}

# Call kinds in the middle of a sentence.
KINDS = {
    "initiate": "start of the payment",
    "capture": "capture",
    "refund": "refund",
    "cancel": "cancellation",
    "update": "change of the amount",
}

_DOORS = {
    Door.PYTHON: "shop's code",
    Door.STORE_API: "store API",
    Door.ADMIN_API: "admin API",
    Door.ADMIN: "this admin",
    Door.COMMAND: "command line",
    Door.WEBHOOK: "webhook",
    Door.SWEEP: "reconciliation",
}

_CAUSES = {
    "lookup": "a lookup at the provider",
    "abandoned": "the process that asked had died",
}

# What a person decided, before the reason that they gave.
_DECISIONS = {
    "approve": "approval",
    "reject": "rejection",
    "verdict": "word on a call",
    "closed": "decision",
}

_FIELDS = {
    "amount_minor": "amount",
    "authorized_minor": "authorized",
    "captured_minor": "captured",
    "refunded_minor": "refunded",
    "held_minor": "held",
    "provider_amount_minor": "amount at the provider",
    "provider_reference": "id at the provider",
    "provider_state": "at the provider",
    "currency_code": "currency",
    "deleted_reason": "soft-deleted as",
    "is_canceled": "canceled",
    "is_captured": "captured",
}


def sentence(action: str, after: dict[str, Any], currency_code: str) -> str:
    """What happened, in words; an action without words is shown as it is."""
    template = SENTENCES.get(action, action)
    if after.get("amount_minor") is None:
        template = template.replace(" of {amount}", "")
    return template.replace("{amount}", money(after.get("amount_minor"), currency_code))


def door_words(door: str) -> str:
    return _DOORS.get(Door(door), door) if door in Door.values else door


def cause_words(cause: str) -> str:
    """What the change rests on: a request at the provider, an event, a lookup."""
    if cause.startswith("req_"):
        return f"answer {cause}"
    decision, _, reason = cause.partition(": ")
    if reason and decision in _DECISIONS:
        return f"{_DECISIONS[decision]}: {scrub(reason)}"
    if ":" in cause:
        event_type, _, event_id = cause.partition(":")
        return f"event {event_type} {event_id}"
    return _CAUSES.get(cause, cause)


def field_words(name: str) -> str:
    return _FIELDS.get(name, name.replace("_", " "))


def value_words(name: str, value: Any, currency_code: str) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_minor") and isinstance(value, int):
        return money(value, currency_code)
    return str(value).replace("_", " ") if name.endswith(("status", "state")) else str(value)
