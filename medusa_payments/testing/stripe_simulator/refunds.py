"""Refunds: captured money going back, at once, later or not at all."""

from . import money
from .charges import latest_charge
from .errors import ApiError, JsonObject, invalid_parameter, refused
from .params import merged_metadata
from .releases import make_refund, recount, refundable_amount
from .store import Record
from .world import Call, World

STATUSES = ("succeeded", "pending", "requires_action", "failed", "canceled")
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_UNFINISHED = ("pending", "requires_action")
_LOST = ("lost", "needs_response", "under_review")


def create(world: World, call: Call) -> JsonObject:
    amount = call.params.integer("amount")
    reason = call.params.choice("reason", _REASONS)
    metadata = merged_metadata({}, call.params)
    if amount is not None and amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid_parameter(message, param="amount", code="parameter_invalid_integer")
    charge = _charge_to_refund(world, call)
    chosen = _refund_amount(world, charge, amount)
    return refund_charge(world, call, charge, chosen, reason=reason, metadata=metadata).data


def refund_charge(
    world: World,
    call: Call,
    charge: Record,
    amount: int,
    *,
    reason: str | None,
    metadata: dict[str, str],
) -> Record:
    intent = world.store.get("payment_intent", charge["payment_intent"], account=charge.account)
    scripted = world.options.next_refund_statuses
    status = scripted.pop(0) if scripted else "succeeded"
    refund = make_refund(world, intent, charge, amount, status=status, reason=reason)
    refund["metadata"] = metadata
    if status in _UNFINISHED:
        refund["pending_reason"] = "processing"
    recount(world, charge)
    if status == "failed":
        refund["failure_reason"] = "unknown"
        world.emit("refund.created", refund, call)
        world.emit("refund.failed", refund, call)
        return refund
    world.emit("charge.refunded", charge, call)
    world.emit("refund.created", refund, call)
    _tell_update(world, call, refund)
    return refund


def update(world: World, call: Call) -> JsonObject:
    refund = _named(world, call)
    refund["metadata"] = merged_metadata(refund["metadata"], call.params)
    _tell_update(world, call, refund)
    return refund.data


def cancel(world: World, call: Call) -> JsonObject:
    refund = _named(world, call)
    if refund["status"] != "requires_action":
        raise refused(f"Refunds with a status of {refund['status']} cannot be canceled.")
    finish(world, call, refund, status="canceled")
    return refund.data


def finish(world: World, call: Call, refund: Record, *, status: str) -> None:
    """Give a refund its later status. Even one that succeeded may fail: the bank sends it back."""
    refund["status"] = status
    refund.data.pop("pending_reason", None)
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
    charge = world.store.get("charge", refund["charge"], account=refund.account)
    recount(world, charge)
    if status == "failed":
        world.emit("refund.failed", refund, call)
    _tell_update(world, call, refund)


def _tell_update(world: World, call: Call, refund: Record) -> None:
    """Stripe tells one change twice, under the old name and the new."""
    world.emit("refund.updated", refund, call)
    world.emit("charge.refund.updated", refund, call)


def _charge_to_refund(world: World, call: Call) -> Record:
    if identifier := call.params.text("charge"):
        charge = world.store.get(
            "charge", identifier, account=call.account, param="charge", status=400
        )
        return _checked(charge, charge["payment_intent"])
    identifier = call.params.text("payment_intent")
    if identifier is None:
        message = "One of payment_intent or charge should be provided for this request."
        raise invalid_parameter(message, param="payment_intent", code="parameter_missing")
    intent = world.store.get(
        "payment_intent", identifier, account=call.account, param="payment_intent", status=400
    )
    found = latest_charge(world, intent)
    if found is None:
        raise _no_charge(intent.id)
    return _checked(found, intent.id)


def _checked(charge: Record, intent_id: str) -> Record:
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise _no_charge(intent_id)
    return charge


def _no_charge(intent_id: str) -> ApiError:
    return refused(f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.")


def _refund_amount(world: World, charge: Record, amount: int | None) -> int:
    left = refundable_amount(world, charge)
    if _is_charged_back(world, charge):
        message = f"Charge {charge.id} has been charged back; cannot issue a refund."
        raise refused(message, code="charge_disputed")
    if left == 0:
        message = f"Charge {charge.id} has already been refunded."
        raise refused(message, code="charge_already_refunded")
    if amount is None:
        return left
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise refused(message, param="amount")
    return money.check_amount(amount, charge["currency"])


def _is_charged_back(world: World, charge: Record) -> bool:
    disputes = world.store.linked("dispute", "charge", charge.id)
    return any(dispute["status"] in _LOST for dispute in disputes)


def _named(world: World, call: Call) -> Record:
    return world.store.get("refund", call.path["id"], account=call.account, param="id")
