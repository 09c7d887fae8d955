"""Disputes: captured money that the buyer's bank takes back, perhaps for good."""

from .errors import JsonObject
from .identifiers import new_id
from .store import Record
from .world import Call, World

_EVIDENCE_SECONDS = 14 * 24 * 60 * 60


def open_dispute(
    world: World, call: Call, charge: Record, amount: int, *, is_inquiry: bool
) -> Record:
    """An inquiry withdraws nothing, and leaves the charge refundable."""
    data: JsonObject = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge.id,
        "created": world.clock.seconds(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.clock.seconds() + _EVIDENCE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "warning_needs_response" if is_inquiry else "needs_response",
    }
    charge["disputed"] = True
    dispute = world.store.add(data, account=charge.account)
    world.emit("charge.dispute.created", dispute, call)
    if not is_inquiry:
        world.emit("charge.dispute.funds_withdrawn", dispute, call)
    return dispute


def escalate_dispute(world: World, call: Call, dispute: Record) -> None:
    dispute["status"] = "needs_response"
    dispute["is_charge_refundable"] = False
    world.emit("charge.dispute.updated", dispute, call)
    world.emit("charge.dispute.funds_withdrawn", dispute, call)


def close_dispute(world: World, call: Call, dispute: Record, *, won: bool) -> None:
    """The charge stays marked as disputed, whoever wins."""
    before = dispute["status"]
    if before.startswith("warning_"):
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = "won" if won else "lost"
        if won:
            world.emit("charge.dispute.funds_reinstated", dispute, call)
        elif before == "won":
            world.emit("charge.dispute.funds_withdrawn", dispute, call)
    world.emit("charge.dispute.closed", dispute, call)


def withdrawn_amount(world: World, charge: Record) -> int:
    """What disputes that are open or lost have taken."""
    disputes = world.store.linked("dispute", "charge", charge.id)
    return sum(dispute["amount"] for dispute in disputes if _has_withdrawn(dispute))


def _has_withdrawn(dispute: Record) -> bool:
    status: str = dispute["status"]
    return status != "won" and not status.startswith("warning_")
