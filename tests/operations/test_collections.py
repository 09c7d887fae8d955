from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections

from medusa_payments.errors import InvalidAmount, NotAllowed, NotFound, UnsupportedCurrency
from medusa_payments.models import PaymentCollection
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
    reprice_payment_collection,
)
from tests.laws.scenes import (
    FAKE,
    StagedProvider,
    authorized_at,
    breaks,
    collection_of,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN, TWENTY = Decimal("10"), Decimal("20")


def test_a_new_collection_owes_its_amount() -> None:
    collection = create_payment_collection(
        amount=Decimal("100.50"), currency_code="EUR", order_reference="o_1", metadata={"a": 1}
    )

    row = reloaded(collection)
    assert (row.amount, row.currency_code, row.status) == (Decimal("100.5"), "eur", "not_paid")
    assert (row.order_reference, row.metadata) == ("o_1", {"a": 1})
    assert (row.authorized_minor, row.captured_minor, row.refunded_minor) == (None, None, None)
    assert (row.audit_length, breaks(row)) == (1, [])


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(InvalidAmount):
        create_payment_collection(amount=Decimal(amount), currency_code="eur")

    assert not PaymentCollection.all_objects.exists()


def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(UnsupportedCurrency):
        create_payment_collection(amount=TEN, currency_code="euro")


# One live collection for a cart


def test_a_second_call_for_a_cart_returns_its_collection_repriced() -> None:
    first = create_payment_collection(amount=TEN, currency_code="eur", cart_reference="c")

    second = create_payment_collection(amount=TWENTY, currency_code="eur", cart_reference="c")

    assert second.pk == first.pk
    assert reloaded(first).amount_minor == 2000
    assert breaks(first) == []


def test_an_unchanged_price_writes_nothing() -> None:
    first = create_payment_collection(amount=TEN, currency_code="eur", cart_reference="c")

    create_payment_collection(amount=TEN, currency_code="eur", cart_reference="c")

    assert reloaded(first).version == first.version
    assert reloaded(first).audit_length == 1


def test_carts_are_told_apart_case_by_case() -> None:
    pks = {
        create_payment_collection(amount=TEN, currency_code="eur", cart_reference=cart).pk
        for cart in ("cart_A", "cart_a", "")
    }

    assert len(pks) == 3


def test_collections_without_a_cart_are_separate() -> None:
    assert collection_of().pk != collection_of().pk


def test_a_cart_gets_a_new_collection_after_its_old_one_was_deleted() -> None:
    first = collection_of(cart_reference="c")
    delete_payment_collection(first)

    second = collection_of(cart_reference="c")

    assert second.pk != first.pk
    assert PaymentCollection.all_objects.filter(cart_reference="c").count() == 2


def test_many_requests_of_one_cart_at_once_make_one_collection() -> None:
    def create(number: int) -> str:
        try:
            return collection_of(TEN + number, cart_reference="c").pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as threads:
        made = set(threads.map(create, range(5)))

    assert len(made) == 1
    assert PaymentCollection.all_objects.count() == 1


# Repricing


def test_repricing_leaves_the_session_until_the_next_is_asked_for(fake: StagedProvider) -> None:
    collection = collection_of()
    session = session_at(FAKE, collection)

    reprice_payment_collection(collection, amount=TEN)

    assert reloaded(session).amount_minor == 10050
    updated = session_at(FAKE, reloaded(collection))
    assert (updated.pk, updated.amount_minor) == (session.pk, 1000)


def test_a_higher_price_makes_a_paid_collection_partly_paid(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    reprice_payment_collection(reloaded(payment.payment_collection), amount=Decimal("200"))

    assert reloaded(payment.payment_collection).status == "partially_authorized"


def test_a_lower_price_completes_what_was_partly_paid(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    collection = reloaded(payment.payment_collection)
    reprice_payment_collection(collection, amount=Decimal("200"))

    reprice_payment_collection(reloaded(collection), amount=Decimal("100.50"))

    assert reloaded(collection).status == "authorized"


def test_the_currency_may_change_while_nothing_was_started() -> None:
    collection = collection_of()

    reprice_payment_collection(collection, amount=Decimal("500"), currency_code="jpy")

    assert (reloaded(collection).currency_code, reloaded(collection).amount_minor) == ("jpy", 500)


def test_the_currency_cannot_change_once_money_is_held(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    with pytest.raises(NotAllowed):
        reprice_payment_collection(
            payment.payment_collection, amount=Decimal("100.50"), currency_code="usd"
        )

    assert reloaded(payment.payment_collection).currency_code == "eur"


def test_what_could_still_be_paid_in_the_old_currency_is_closed(fake: StagedProvider) -> None:
    """The buyer still has the page of the old price open."""
    collection = collection_of()
    session = session_at(FAKE, collection)

    reprice_payment_collection(collection, amount=Decimal("100.50"), currency_code="usd")

    assert reloaded(collection).currency_code == "usd"
    assert reloaded(session).resolution == "closed"
    assert fake.payments[session.provider_reference].state == "canceled"


def test_the_currency_cannot_change_under_a_session_that_was_paid_meanwhile(
    fake: StagedProvider,
) -> None:
    collection = collection_of()
    session = session_at(FAKE, collection)
    fake.pay(session.provider_reference)

    with pytest.raises(NotAllowed):
        reprice_payment_collection(collection, amount=Decimal("100.50"), currency_code="usd")

    assert reloaded(collection).currency_code == "eur"
    assert reloaded(session).is_live


def test_repricing_to_no_amount_is_refused() -> None:
    collection = collection_of()

    with pytest.raises(InvalidAmount):
        reprice_payment_collection(collection, amount=Decimal("0"))

    assert reloaded(collection).amount_minor == 10050


# Deleting


def test_a_deleted_collection_closes_its_session(fake: StagedProvider) -> None:
    collection = collection_of()
    session = session_at(FAKE, collection)

    delete_payment_collection(reloaded(collection))

    assert reloaded(collection).deleted is not None
    assert reloaded(session).deleted_reason == "deleted"
    assert fake.payments[session.provider_reference].state == "canceled"
    assert breaks(collection) == []


def test_a_collection_that_was_paid_into_is_not_deleted(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    with pytest.raises(NotAllowed, match="not_paid"):
        delete_payment_collection(reloaded(payment.payment_collection))

    assert reloaded(payment.payment_collection).deleted is None


def test_a_collection_is_deleted_once() -> None:
    deleted = delete_payment_collection(collection_of())

    with pytest.raises(NotFound):
        delete_payment_collection(deleted)


def test_an_unknown_collection_is_not_found() -> None:
    with pytest.raises(NotFound):
        reprice_payment_collection(
            PaymentCollection(id="pay_col_of_nobody", amount_minor=1, currency_code="eur"),
            amount=TEN,
        )


def test_a_paid_collection_is_not_deleted_whatever_the_caller_knows(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    stale = reloaded(session.payment_collection)
    fake.pay(session.provider_reference)  # and its event is lost

    for _ in range(2):  # the first attempt finds out
        with pytest.raises(NotAllowed, match="not_paid"):
            delete_payment_collection(stale)

    assert reloaded(stale).status == "authorized"
    assert fake.payments[session.provider_reference].held_minor


def test_a_price_is_compared_with_the_row_not_with_what_the_caller_has() -> None:
    collection = collection_of(TEN)
    reprice_payment_collection(reloaded(collection), amount=Decimal("20"))

    reprice_payment_collection(collection, amount=TEN)

    assert reloaded(collection).amount_minor == 1000


def test_a_deleted_collection_is_not_repriced() -> None:
    collection = collection_of(TEN)
    delete_payment_collection(reloaded(collection))

    with pytest.raises(NotFound):
        reprice_payment_collection(collection, amount=Decimal("20"))
