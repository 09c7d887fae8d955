"""A payment as it should go, one whose answer is lost, and a refund whose answer is lost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from example_project.shop.demo.records import Money, our_money, shown, their_money, told_by
from example_project.shop.demo.shop import Shop
from example_project.shop.demo.telling import Teller
from example_project.shop.models import Cart, CartLine, Order, Product
from medusa_payments.testing.stripe_simulator import FaultKind, StripeSimulator

_PROVIDER = "pp_stripe_stripe"
_CHARGE_NOW = {
    "confirm": True,
    "off_session": True,
    "payment_method": "pm_card_visa",
    "capture_method": "automatic",
}


@dataclass(frozen=True)
class Stage:
    teller: Teller
    shop: Shop
    simulator: StripeSimulator

    def money(self, title: str, collection_id: str, **expected: str | tuple[str, str]) -> None:
        ours: Money = our_money(collection_id)
        theirs = their_money(self.simulator, collection_id)
        self.teller.money(title, ours=ours, theirs=theirs, **expected)

    def settle(self) -> None:
        """Let every event that is on its way arrive."""
        self.simulator.wait_for_deliveries()


def tell_story(teller: Teller, shop: Shop, simulator: StripeSimulator) -> None:
    stage = Stage(teller, shop, simulator)
    paid = a_payment_as_it_should_go(stage)
    renewed = an_answer_lost_after_the_money_was_taken(stage)
    a_refund_whose_answer_is_lost(stage, paid)
    the_books(stage, paid, renewed)


def a_payment_as_it_should_go(stage: Stage) -> str:
    teller, shop, simulator = stage.teller, stage.shop, stage.simulator
    teller.chapter("1  A payment as it should go")
    cart = _cart("lamp")
    teller.step(f"A buyer puts a reading lamp into cart {cart.pk} and checks out.")
    collection_id = _collection(stage, cart)
    teller.step("The browser asks our API for a payment session; we ask Stripe for an intent.")
    session = _session(stage, "store", collection_id, {}, expected=200)
    teller.step("The buyer pays on Stripe's form. Stripe tells us by a signed webhook.")
    simulator.pay(session["data"]["id"])
    stage.settle()
    teller.facts(
        "After the webhook",
        [
            ("payment session", _sessions(collection_id)[0]["status"], "authorized"),
            ("order marked paid by our signal", _is_paid(cart), True),
        ],
    )
    teller.step("The lamp is sent, so the shopkeeper captures the held money.")
    payment_id = shown(collection_id)["payments"][0]["id"]
    teller.answer(shop.admin(f"payments/{payment_id}/capture", {}), expected=200)
    stage.settle()
    stage.money("Afterwards", collection_id, held="0", taken="64.90", kept="64.90")
    return collection_id


def an_answer_lost_after_the_money_was_taken(stage: Stage) -> str:
    teller, simulator = stage.teller, stage.simulator
    teller.chapter("2  An answer is lost after the money was taken")
    cart = _cart("plant")
    teller.step(f"A rubber plant is ordered by subscription, in cart {cart.pk}.")
    collection_id = _collection(stage, cart)
    teller.step(
        "The shop charges a saved card at once. Stripe takes the money, and then no answer comes:"
        " we wait a second and give up. Stripe's webhook is late, too."
    )
    simulator.hold()
    simulator.fault(FaultKind.HANG, "payment_intents.create", times=None)
    _session(stage, "admin", collection_id, _CHARGE_NOW, expected=503)
    ghost = _sessions(collection_id)[0]
    teller.facts(
        "Our database: we do not know",
        [
            ("session soft-deleted, never erased", ghost["deleted_reason"], "indeterminate"),
            ("call recorded before it was made", _call(collection_id)["state"], "indeterminate"),
            ("order marked paid", _is_paid(cart), False),
        ],
    )
    stage.money("A ghost: paid, and no answer", collection_id, taken=("0", "27"), kept=("0", "27"))

    teller.step("The buyer tries again, at once. This time the answer arrives.")
    simulator.clear_faults()
    _session(stage, "admin", collection_id, _CHARGE_NOW, expected=200)
    stage.money("Charged twice, for now", collection_id, taken=("27", "54"), kept=("27", "54"))

    teller.step("Now the late webhooks arrive. Whoever delivers them twice changes nothing.")
    simulator.deliver()
    deliveries = simulator.release(times=2)
    stage.settle()
    _tell_undone(stage, collection_id, deliveries, cart)
    return collection_id


def _tell_undone(stage: Stage, collection_id: str, deliveries: list[Any], cart: Cart) -> None:
    record = shown(collection_id)
    ghost, second = record["sessions"]
    stage.teller.facts(
        "Our database: the first charge went back by itself",
        [
            ("answers to the webhooks", sorted({each["status"] for each in deliveries}), [200]),
            ("first session, set aside", ghost["resolution"], "refunded"),
            ("second session", second["status"], "authorized"),
            ("refunds made", len(_refunds(record)), 1),
            ("set aside: taken", Decimal(record["collection"]["set_aside"]["captured"]), 27),
            ("set aside: given back", Decimal(record["collection"]["set_aside"]["refunded"]), 27),
            ("order marked paid", _is_paid(cart), True),
            ("audit trail intact", record["audit"]["valid"], True),
        ],
    )
    stage.money("The buyer paid once", collection_id, taken="54", given_back="27", kept="27")


def a_refund_whose_answer_is_lost(stage: Stage, collection_id: str) -> None:
    teller, shop, simulator = stage.teller, stage.shop, stage.simulator
    teller.chapter("3  A refund whose answer is lost, and a second click")
    payment_id = shown(collection_id)["payments"][0]["id"]
    teller.step(
        "The lamp has a scratch: the shopkeeper gives 20.00 back. Stripe does so, then the"
        " connection breaks, and asking again reaches nobody."
    )
    simulator.hold()
    simulator.fault(FaultKind.DROP_AFTER, "refunds.create", times=None)
    simulator.fault(FaultKind.DROP_BEFORE, "*", times=None)
    teller.answer(shop.admin(f"payments/{payment_id}/refund", {"amount": 20}), expected=202)
    (refund,) = _refunds(shown(collection_id))
    teller.facts("Not known, and so reserved", [("refund", refund["status"], "indeterminate")])
    stage.money("Stripe has refunded", collection_id, given_back=("0", "20"))

    teller.step(
        "The shopkeeper clicks again: it is the same act, so it is looked up, not repeated."
    )
    simulator.clear_faults()
    teller.answer(shop.admin(f"payments/{payment_id}/refund", {"amount": 20}), expected=200)
    simulator.deliver()
    simulator.release()
    stage.settle()
    (refund,) = _refunds(shown(collection_id))
    teller.facts("One refund", [("refund", refund["status"], "succeeded")])
    stage.money("Refunded once", collection_id, taken="64.90", given_back="20", kept="44.90")


def the_books(stage: Stage, *collection_ids: str) -> None:
    stage.teller.chapter("The books")
    stage.teller.step("At the end of the day: are the trails whole, and do the sums agree?")
    audit = told_by("verify_audit_trail")
    sweep = told_by("reconcile_payments", "--all")
    requests = stage.simulator.requests("refunds.create")
    stage.teller.facts(
        "verify_audit_trail and reconcile_payments",
        [
            ("audit trails intact", audit["valid"], True),
            ("calls of unknown outcome", sweep["unresolved"], 0),
            ("open discrepancies", sweep["discrepancies"], 0),
            ("idempotency keys used for refunds", len({_key(each) for each in requests}), 2),
        ],
    )
    ours = [our_money(each) for each in collection_ids]
    theirs = stage.simulator.ledger()["totals"]["eur"]
    stage.teller.facts(
        "All payments together, in EUR",
        [
            ("kept, by our database", sum(each.kept for each in ours), Decimal("71.90")),
            ("kept, by Stripe", Decimal(theirs["kept"]) / 100, Decimal("71.90")),
            ("held at Stripe", Decimal(theirs["held"]) / 100, Decimal(0)),
        ],
    )


def _key(request: Any) -> str:
    return str(request["idempotency_key"])


def _cart(slug: str) -> Cart:
    product = Product.objects.get(slug=slug)
    cart = Cart.objects.create(currency_code=product.currency_code)
    CartLine.objects.create(
        cart=cart, product=product, title=product.name, unit_price=product.price
    )
    return cart


def _collection(stage: Stage, cart: Cart) -> str:
    answer = stage.shop.store("payment-collections", {"cart_id": cart.pk})
    stage.teller.answer(answer, expected=200)
    collection_id: str = answer.body["payment_collection"]["id"]
    return collection_id


def _session(
    stage: Stage, door: str, collection_id: str, data: dict[str, Any], *, expected: int
) -> dict[str, Any]:
    ask = stage.shop.store if door == "store" else stage.shop.admin
    body = {"provider_id": _PROVIDER, "data": data}
    answer = ask(f"payment-collections/{collection_id}/payment-sessions", body)
    stage.teller.answer(answer, expected=expected)
    sessions = answer.body.get("payment_collection", {}).get("payment_sessions", [{}])
    return dict(sessions[-1])


def _sessions(collection_id: str) -> list[dict[str, Any]]:
    return list(shown(collection_id)["sessions"])


def _call(collection_id: str) -> dict[str, Any]:
    return dict(shown(collection_id)["calls"][0])


def _refunds(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [refund for payment in record["payments"] for refund in payment["refunds"]]


def _is_paid(cart: Cart) -> bool:
    return Order.objects.filter(cart=cart, paid_at__isnull=False).exists()
