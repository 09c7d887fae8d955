"""A past of many payments, made at once: no requests, no events."""

from typing import NotRequired, TypedDict

from .charges import make_charge
from .intents import blank
from .payment_methods import find_method
from .releases import make_refund, recount, release_hold
from .store import Record
from .world import DEFAULT_ACCOUNT, World

_PAID = ("requires_capture", "succeeded")


class SeedOfRefund(TypedDict):
    amount: int
    created: NotRequired[int]  # default: as its intent
    metadata: NotRequired[dict[str, str]]
    status: NotRequired[str]  # default: succeeded


class SeedOfIntent(TypedDict):
    """How an intent ended. Amounts in Stripe's unit, times in seconds since 1970."""

    amount: int
    created: int
    currency: NotRequired[str]  # default: eur
    metadata: NotRequired[dict[str, str]]
    status: NotRequired[str]  # default: succeeded
    captured: NotRequired[int]  # of one that succeeded; default: all of it
    refunds: NotRequired[list[SeedOfRefund]]
    account: NotRequired[str]


class SeededIntent(TypedDict):
    id: str
    charge: str | None
    refunds: list[str]


def plant(world: World, seed: SeedOfIntent) -> SeededIntent:
    with world.clock.standing_at(seed["created"]):
        intent = _intent(world, seed)
        charge = _charge(world, intent, seed) if intent["status"] in _PAID else None
    refunds = []
    if charge is not None:
        refunds = [_refund(world, intent, charge, each, seed) for each in seed.get("refunds", [])]
        recount(world, charge)
    return {"id": intent.id, "charge": charge.id if charge else None, "refunds": refunds}


def _intent(world: World, seed: SeedOfIntent) -> Record:
    data = blank(world, seed["amount"], seed.get("currency", "eur"))
    data |= {
        "capture_method": "manual",
        "confirmation_method": "automatic",
        "metadata": dict(seed.get("metadata", {})),
        "status": seed.get("status", "succeeded"),
    }
    return world.store.add(data, account=seed.get("account", DEFAULT_ACCOUNT))


def _charge(world: World, intent: Record, seed: SeedOfIntent) -> Record:
    method = find_method(world, "pm_card_visa", account=intent.account, param="payment_method")
    is_captured = intent["status"] == "succeeded"
    intent["payment_method"] = method.id
    charge = make_charge(world, intent, method, status="succeeded", captured=is_captured)
    if not is_captured:
        intent["amount_capturable"] = intent["amount"]
        return charge
    intent["amount_received"] = seed.get("captured", intent["amount"])
    charge["amount_captured"] = intent["amount_received"]
    if released := intent["amount"] - intent["amount_received"]:
        release_hold(world, intent, charge, released, reason=None)
    return charge


def _refund(
    world: World, intent: Record, charge: Record, seed: SeedOfRefund, of_intent: SeedOfIntent
) -> str:
    with world.clock.standing_at(seed.get("created", of_intent["created"])):
        refund = make_refund(
            world,
            intent,
            charge,
            seed["amount"],
            status=seed.get("status", "succeeded"),
            reason=None,
        )
    refund["metadata"] = dict(seed.get("metadata", {}))
    return refund.id
