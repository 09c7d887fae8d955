from __future__ import annotations

from typing import Any

import pytest
import stripe


@pytest.fixture
def five(client: Any, simulator: Any) -> list[str]:
    """Ids of five intents, oldest first, a minute apart."""
    ids = []
    for amount in range(1, 6):
        ids.append(client.payment_intents.create({"amount": amount, "currency": "eur"}).id)
        simulator.advance(60)
    return ids


def ids_of(page: Any) -> list[str]:
    return [item.id for item in page.data]


def test_newest_come_first(client: Any, five: list[str]) -> None:
    page = client.payment_intents.list()

    assert ids_of(page) == five[::-1]
    assert page.has_more is False


def test_pages_go_on_after_an_id(client: Any, five: list[str]) -> None:
    first = client.payment_intents.list({"limit": 2})
    second = client.payment_intents.list({"limit": 2, "starting_after": first.data[-1].id})
    third = client.payment_intents.list({"limit": 2, "starting_after": second.data[-1].id})

    assert [ids_of(page) for page in (first, second, third)] == [
        [five[4], five[3]],
        [five[2], five[1]],
        [five[0]],
    ]
    assert [page.has_more for page in (first, second, third)] == [True, True, False]


def test_pages_go_back_before_an_id(client: Any, five: list[str]) -> None:
    page = client.payment_intents.list({"limit": 2, "ending_before": five[0]})

    assert ids_of(page) == [five[2], five[1]]
    assert page.has_more is True
    assert client.payment_intents.list({"ending_before": five[3]}).has_more is False


def test_sdk_pages_through_everything(client: Any, five: list[str]) -> None:
    found = client.payment_intents.list({"limit": 2}).auto_paging_iter()

    assert [intent.id for intent in found] == five[::-1]


def test_ten_come_where_no_limit_is_given(client: Any, five: list[str]) -> None:
    for _ in range(6):
        client.payment_intents.create({"amount": 9, "currency": "eur"})

    page = client.payment_intents.list()

    assert (len(page.data), page.has_more) == (10, True)


@pytest.mark.parametrize(
    ("bounds", "positions"),
    [
        (lambda stamp: {"gte": stamp}, [4, 3, 2]),
        (lambda stamp: {"gt": stamp}, [4, 3]),
        (lambda stamp: {"lte": stamp}, [2, 1, 0]),
        (lambda stamp: {"lt": stamp}, [1, 0]),
        (lambda stamp: {"gte": stamp, "lt": stamp + 60}, [2]),
        (lambda stamp: stamp, [2]),
    ],
)
def test_created_filters(client: Any, five: list[str], bounds: Any, positions: list[int]) -> None:
    stamp = client.payment_intents.retrieve(five[2]).created

    page = client.payment_intents.list({"created": bounds(stamp)})

    assert ids_of(page) == [five[position] for position in positions]


@pytest.mark.parametrize(
    ("values", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "pi_missing"}, "starting_after"),
        ({"starting_after": "pi_a", "ending_before": "pi_b"}, "ending_before"),
        ({"created": {"since": 1}}, "created[since]"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"expand": ["latest_charge"]}, "expand"),
    ],
)
def test_wrong_list_parameters_are_refused(client: Any, values: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.list(values)

    assert (raised.value.http_status, raised.value.param) == (400, param)


def test_intents_and_charges_of_a_customer(client: Any, make_paid: Any) -> None:
    customer = client.customers.create({"email": "a@example.com"})
    paid = make_paid(customer=customer.id)
    make_paid()

    assert ids_of(client.payment_intents.list({"customer": customer.id})) == [paid.id]
    assert ids_of(client.charges.list({"customer": customer.id})) == [paid.latest_charge]


def test_charges_and_refunds_of_an_intent(client: Any, make_paid: Any) -> None:
    paid, other = make_paid(), make_paid()
    refund = client.refunds.create({"payment_intent": paid.id, "amount": 1})
    client.refunds.create({"payment_intent": other.id, "amount": 1})

    assert ids_of(client.charges.list({"payment_intent": paid.id})) == [paid.latest_charge]
    assert ids_of(client.refunds.list({"payment_intent": paid.id})) == [refund.id]
    assert ids_of(client.refunds.list({"charge": paid.latest_charge})) == [refund.id]


def test_customers_by_email(client: Any) -> None:
    wanted = client.customers.create({"email": "a@example.com"})
    client.customers.create({"email": "b@example.com"})

    assert ids_of(client.customers.list({"email": "a@example.com"})) == [wanted.id]


def test_events_by_type(client: Any, make_paid: Any) -> None:
    paid = make_paid()

    exact = client.events.list({"type": "payment_intent.succeeded"})
    family = client.events.list({"type": "payment_intent.*"})

    assert [event.data.object.id for event in exact] == [paid.id]
    assert [event.type for event in family] == [
        "payment_intent.succeeded",
        "payment_intent.created",
    ]
    assert client.events.retrieve(exact.data[0].id).type == "payment_intent.succeeded"


def test_items_are_expanded(client: Any, make_paid: Any) -> None:
    paid = make_paid()

    page = client.payment_intents.list({"expand": ["data.latest_charge"]})

    assert page.data[0].latest_charge.id == paid.latest_charge


def test_a_seeded_past_is_listed_by_when_it_was_made(client: Any, simulator: Any) -> None:
    start = 1_700_000_000
    late, early = simulator.seed(
        [
            {"amount": 900, "created": start + 60, "refunds": [{"amount": 100}]},
            {"amount": 500, "created": start, "status": "requires_capture"},
        ]
    )

    intents = client.payment_intents.list()
    charges = client.charges.list({"created": {"lt": start + 60}})
    ledger = simulator.ledger()["intents"]

    assert ids_of(intents) == [late["id"], early["id"]]
    assert ids_of(charges) == [early["charge"]]
    assert client.refunds.list().data[0].created == start + 60
    assert (ledger[late["id"]]["kept"], ledger[early["id"]]["held"]) == (800, 500)
    assert simulator.events() == []


def test_hundreds_are_paged_through_in_order(client: Any, simulator: Any) -> None:
    start = 1_700_000_000
    seeds = [{"amount": 100, "created": start + number} for number in range(450)]
    planted = simulator.seed([{**each, "status": "canceled"} for each in seeds])

    found = client.payment_intents.list({"limit": 100}).auto_paging_iter()

    assert [intent.id for intent in found] == [each["id"] for each in reversed(planted)]
