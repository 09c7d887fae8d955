"""Acts that are no API requests: of the buyer, the bank, Stripe and a human in the dashboard."""

from collections.abc import Callable

from . import confirmation, intents, refunds, setup_intents
from .charges import latest_charge
from .controls import ControlError
from .disputes import close_dispute, escalate_dispute, open_dispute
from .errors import ApiError, JsonObject
from .params import Params
from .store import Record
from .world import Call, World


def pay(world: World, intent_id: str, payment_method: str = "pm_card_visa") -> JsonObject:
    intent = _intent(world, intent_id)
    call = _by_hand(intent, payment_method=payment_method)
    call.is_publishable = True
    try:
        return intents.confirm(world, call)
    except ApiError as error:
        if error.error["type"] != "card_error":
            raise
        return intent.data


def complete_action(world: World, intent_id: str, succeed: bool = True) -> JsonObject:
    intent = _any_intent(world, intent_id)
    _require(intent, "requires_action")
    finish = (
        setup_intents.finish_action
        if intent["object"] == "setup_intent"
        else confirmation.finish_action
    )
    finish(world, _by_hand(intent), intent, succeed=succeed)
    return intent.data


def finish_processing(world: World, intent_id: str, succeed: bool = True) -> JsonObject:
    intent = _intent(world, intent_id)
    _require(intent, "processing")
    confirmation.finish_processing(world, _by_hand(intent), intent, succeed=succeed)
    return intent.data


def partially_fund(world: World, intent_id: str, amount: int) -> JsonObject:
    intent = _intent(world, intent_id)
    instructions = {
        "amount_remaining": intent["amount"] - amount,
        "currency": intent["currency"],
        "type": "eu_bank_transfer",
    }
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": instructions,
    }
    world.emit("payment_intent.partially_funded", intent, _by_hand(intent))
    return intent.data


def expire_authorization(world: World, intent_id: str) -> JsonObject:
    intent = _intent(world, intent_id)
    _require(intent, "requires_capture")
    intents.close_intent(world, _by_hand(intent), intent, reason="automatic", has_expired=True)
    return intent.data


def next_refund_status(world: World, status: str, times: int = 1) -> None:
    if status not in refunds.STATUSES:
        raise ControlError(f"Unknown refund status: {status}")
    world.options.next_refund_statuses += [status] * times


def succeed_refund(world: World, refund_id: str) -> JsonObject:
    return _finish_refund(world, refund_id, "succeeded")


def fail_refund(world: World, refund_id: str) -> JsonObject:
    return _finish_refund(world, refund_id, "failed")


def dispute(
    world: World, intent_id: str, amount: int | None = None, is_inquiry: bool = False
) -> JsonObject:
    intent = _intent(world, intent_id)
    charge = latest_charge(world, intent)
    if charge is None or not charge["captured"]:
        raise ControlError(f"{intent_id} has no captured charge to dispute.")
    chosen = charge["amount_captured"] if amount is None else amount
    call = _by_hand(intent)
    return open_dispute(world, call, charge, chosen, is_inquiry=is_inquiry).data


def escalate(world: World, dispute_id: str) -> JsonObject:
    record = _found(world, dispute_id, "dispute")
    escalate_dispute(world, _by_hand(record), record)
    return record.data


def lose_or_win(world: World, dispute_id: str, won: bool) -> JsonObject:
    record = _found(world, dispute_id, "dispute")
    close_dispute(world, _by_hand(record), record, won=won)
    return record.data


def dashboard_refund(world: World, intent_id: str, amount: int | None = None) -> JsonObject:
    intent = _intent(world, intent_id)
    given = {} if amount is None else {"amount": str(amount)}
    return refunds.create(world, _by_hand(intent, payment_intent=intent_id, **given))


def dashboard_capture(world: World, intent_id: str, amount: int | None = None) -> JsonObject:
    given = {} if amount is None else {"amount_to_capture": str(amount)}
    return intents.capture(world, _by_hand(_intent(world, intent_id), **given))


def dashboard_cancel(world: World, intent_id: str) -> JsonObject:
    return intents.cancel(world, _by_hand(_intent(world, intent_id)))


def foreign_intent(
    world: World,
    amount: int,
    currency: str,
    payment_method: str | None,
    capture_method: str,
    metadata: dict[str, str],
    account: str | None,
) -> JsonObject:
    values: JsonObject = {
        "amount": str(amount),
        "currency": currency,
        "capture_method": capture_method,
        "metadata": metadata,
        "payment_method_types": ["card"],
    }
    if payment_method is not None:
        values |= {"payment_method": payment_method, "confirm": "true"}
    call = Call(Params(values))
    if account is not None:
        call.account = account
    return intents.create(world, call)


ACTS: dict[str, Callable[..., JsonObject | None]] = {
    "pay": pay,
    "complete_action": complete_action,
    "finish_processing": finish_processing,
    "partially_fund": partially_fund,
    "expire_authorization": expire_authorization,
    "next_refund_status": next_refund_status,
    "succeed_refund": succeed_refund,
    "fail_refund": fail_refund,
    "dispute": dispute,
    "escalate_dispute": escalate,
    "close_dispute": lose_or_win,
    "dashboard_refund": dashboard_refund,
    "dashboard_capture": dashboard_capture,
    "dashboard_cancel": dashboard_cancel,
    "foreign_intent": foreign_intent,
}
"""Act name to what performs it."""


def _by_hand(record: Record, **values: str) -> Call:
    return Call(Params(dict(values)), account=record.account, path={"id": record.id})


def _finish_refund(world: World, refund_id: str, status: str) -> JsonObject:
    refund = _found(world, refund_id, "refund")
    if refund.hidden["is_release"] or refund["status"] in ("failed", "canceled", status):
        raise ControlError(f"Refund {refund_id} is {refund['status']} and cannot become {status}.")
    refunds.finish(world, _by_hand(refund), refund, status=status)
    return refund.data


def _intent(world: World, identifier: str) -> Record:
    return _found(world, identifier, "payment_intent")


def _any_intent(world: World, identifier: str) -> Record:
    return _found(world, identifier, "payment_intent", "setup_intent")


def _found(world: World, identifier: str, *kinds: str) -> Record:
    record = world.store.find(identifier)
    if record is None or record["object"] not in kinds:
        raise ControlError(f"No such {kinds[0]}: {identifier}")
    return record


def _require(intent: Record, status: str) -> None:
    if intent["status"] != status:
        raise ControlError(f"{intent.id} is {intent['status']}, not {status}.")
