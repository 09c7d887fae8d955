"""Held money going back, and what a charge says of all that went back."""

from .errors import JsonObject
from .identifiers import new_id
from .store import Record
from .world import World

NOT_REFUNDED = ("failed", "canceled")


def release_hold(
    world: World, intent: Record, charge: Record, amount: int, *, reason: str | None
) -> None:
    """Release held money. Stripe shows it as a Refund of money that was never captured."""
    if world.options.release_as_refund:
        make_refund(
            world, intent, charge, amount, status="succeeded", reason=reason, is_release=True
        )
    recount(world, charge)


def make_refund(
    world: World,
    intent: Record,
    charge: Record,
    amount: int,
    *,
    status: str,
    reason: str | None,
    is_release: bool = False,
) -> Record:
    data: JsonObject = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None if is_release else new_id("txn"),
        "charge": charge.id,
        "created": world.clock.seconds(),
        "currency": charge["currency"],
        "destination_details": _destination(charge),
        "metadata": {},
        "payment_intent": intent.id,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    return world.store.add(data, account=charge.account, hidden={"is_release": is_release})


def refunds_of(world: World, charge: Record) -> list[Record]:
    """Captured money on its way back or back; releases of held money are not among them."""
    return [refund for refund in all_refunds_of(world, charge) if not refund.hidden["is_release"]]


def all_refunds_of(world: World, charge: Record) -> list[Record]:
    return world.store.linked("refund", "charge", charge.id)


def refunded_amount(refunds: list[Record]) -> int:
    return sum(refund["amount"] for refund in refunds if refund["status"] not in NOT_REFUNDED)


def refundable_amount(world: World, charge: Record) -> int:
    captured: int = charge["amount_captured"]
    return captured - refunded_amount(refunds_of(world, charge))


def recount(world: World, charge: Record) -> None:
    """A failed refund no longer counts, so the charge's total may fall."""
    charge["amount_refunded"] = refunded_amount(all_refunds_of(world, charge))
    charge["refunded"] = charge["amount_refunded"] > 0 and refundable_amount(world, charge) == 0


def _destination(charge: Record) -> JsonObject:
    kind = charge["payment_method_details"]["type"]
    if kind != "card":
        return {"type": "us_bank_transfer", "us_bank_transfer": {}}
    return {
        "card": {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
        "type": "card",
    }
