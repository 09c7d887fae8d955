"""A shop whose payments were made by the real operations against the simulated Stripe."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.models import (
    AccountHolder,
    Approval,
    AutomationStop,
    LedgerFinding,
    LedgerScan,
    Payment,
    PaymentCollection,
    PaymentProvider,
    PaymentSession,
    Proposal,
    ProviderCall,
    ProviderGate,
    RecurringJob,
    RefundReason,
    UndoingAllowance,
)
from medusa_payments.operations.account_holders import create_account_holder
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.api_keys import create_api_key
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import create_payment_collection
from medusa_payments.operations.keyed_requests import reserve, store_answer
from medusa_payments.operations.payment_methods import save_payment_method
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.operations.webhooks import receive_webhook
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import ApiKeyType, Door, LedgerClass, LedgerKind
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET

STRIPE = "pp_stripe_stripe"


@dataclass
class Shop:
    simulator: StripeSimulator

    def collection(self, amount: str = "100.00", **options: Any) -> PaymentCollection:
        options = {"currency_code": "eur", **options}
        return create_payment_collection(amount=Decimal(amount), **options)

    def session(self, collection: PaymentCollection | None = None) -> PaymentSession:
        return create_payment_session(collection or self.collection(), provider_id=STRIPE)

    def authorized(self, amount: str = "100.00", **options: Any) -> Payment:
        return self._authorize(self.session(self.collection(amount, **options)))

    def captured(self, amount: str = "100.00", **options: Any) -> Payment:
        return self.pay(self.collection(amount, **options))

    def pay(self, collection: PaymentCollection) -> Payment:
        payment = self._authorize(self.session(collection))
        capture_payment(payment)
        return payment

    def _authorize(self, session: PaymentSession) -> Payment:
        self.simulator.pay(session.data["id"])
        payment = authorize_payment_session(session)
        assert payment is not None
        return payment

    def set_aside_session(self, amount: str = "30.00") -> PaymentSession:
        """One whose initiate was executed and not answered."""
        self.simulator.fault("drop_after", operation="payment_intents.create", times=None)
        with suppress(PaymentIndeterminate):
            self.session(self.collection(amount))
        self.simulator.clear_faults()
        session: PaymentSession = PaymentSession.deleted_objects.order_by("pk").last()
        assert session.indeterminate
        return session

    def taken_ghost(self, amount: str = "30.00", *, capture: bool = True) -> PaymentSession:
        """One that was set aside, taken or held at Stripe all the same, and seen by a sweep."""
        earlier = set(self.simulator.ledger()["intents"])
        session = self.set_aside_session(amount)
        (intent,) = set(self.simulator.ledger()["intents"]) - earlier
        self.simulator.pay(intent)
        if capture:
            self.simulator.dashboard_capture(intent)
        reconcile_all()
        return PaymentSession.all_objects.get(pk=session.pk)

    def uncertain_refund(self, amount: str = "100.00") -> ProviderCall:
        """The call of a whole refund that Stripe executed, and of which it tells nothing."""
        payment = self.captured(amount)
        self.simulator.fault("drop_after", operation="refunds.create", times=None)
        for operation in ("refunds.list", "payment_intents.retrieve"):
            self.simulator.fault("drop_before", operation=operation, times=None)
        refund = refund_payment(payment)
        self.simulator.clear_faults()
        call: ProviderCall = refund.provider_call
        assert call.state == "indeterminate"
        return call

    def send_events(self) -> None:
        """Every event so far, as Stripe would post it."""
        for event in self.simulator.events():
            body, headers = self.simulator.signed(event["id"], secret=WEBHOOK_SECRET)
            receive_webhook(STRIPE, body, headers)

    def refunds_at_stripe(self) -> list[int]:
        """Amount of every refund that Stripe knows of."""
        intents = self.simulator.ledger()["intents"].values()
        return [refund["amount"] for intent in intents for refund in intent["refunds"]]


@pytest.fixture
def shop(db: None, simulator: StripeSimulator, stripe_settings: Any) -> Shop:
    return Shop(simulator)


@pytest.fixture
def everything(shop: Shop) -> Shop:
    """At least one row of every model, soft-deleted, uncertain and disputed ones among them."""
    payment = shop.captured("100.00", cart_reference="cart_1", order_reference="order_1")
    refund_payment(payment, amount=Decimal("10.00"), note="Too late", request_key="act_of_the_test")
    shop.simulator.dashboard_refund(payment.payment_session.provider_reference, 500)
    shop.simulator.dispute(payment.payment_session.provider_reference, 1000)
    shop.send_events()
    shop.set_aside_session()
    shop.session()
    holder = create_account_holder(
        provider_id=STRIPE, customer={"id": "customer_1", "email": "buyer@example.com"}
    )
    assert holder is not None
    save_payment_method(holder)
    AccountHolder.objects.update(data={"id": "cus_1", "invoice": {"api_key": "very-secret-key"}})
    RefundReason.objects.create(label="Damaged", code="damaged")
    PaymentProvider.objects.get_or_create(pk=STRIPE)
    create_api_key(key_type=ApiKeyType.SECRET, title="Back office")
    _answer_kept(shop)
    _scanned(shop)
    _held_back(shop)
    return shop


def _scanned(shop: Shop) -> None:
    """A scan of the ledger that found something."""
    now = timezone.now()
    scan = LedgerScan.objects.create(
        credentials="acct",
        provider_id=STRIPE,
        since=now - timedelta(days=1),
        until=now,
        figures=[["payment", "eur", "ghost", 1, 3000, 0]],
    )
    LedgerFinding.objects.create(
        scan=scan,
        kind=LedgerKind.PAYMENT,
        ledger_class=LedgerClass.GHOST,
        provider_reference="pi_ghost",
        currency_code="eur",
        there_minor=3000,
    )


def _held_back(shop: Shop) -> None:
    """A word of a first person that waits for a second one, a stop, and what the sweep noted."""
    call = ProviderCall.objects.filter(state="indeterminate").latest("pk")
    proposal = Proposal.objects.create(
        kind="verdict",
        open_key=f"verdict:{call.pk}",
        payment_collection_id=call.payment_collection_id,
        payment_session_id=call.payment_session_id,
        provider_call=call,
        provider_id=STRIPE,
        amount_minor=3000,
        currency_code="eur",
        verdict="happened",
        detail=f"The initiate {call.pk} happened.",
        reason="Support says so; their key was sk_test_of_the_tests",
        proof="Case 4711",
        approvals_needed=2,
        proposed_by="user_1 (ann)",
    )
    Approval.objects.create(
        proposal=proposal, actor="user_1 (ann)", is_approved=True, reason="Support says so."
    )
    AutomationStop.objects.create(
        provider_id=STRIPE, active_key=STRIPE, reason="It answers oddly.", stopped_by="user_1 (ann)"
    )
    UndoingAllowance.objects.create(scope="day:2026-03-01", provider_id="", currency_code="eur")
    ProviderGate.objects.create(credentials="acct_1", provider_id=STRIPE)
    RecurringJob.objects.create(name="sweep", started_at=timezone.now(), figures={"examined": 3})


def _answer_kept(shop: Shop) -> None:
    keyed = reserve(
        key="secret-key-of-a-caller",
        request_digest="0" * 64,
        path="/api/admin/refund-reasons",
        actor=Actor("apk_1", Door.ADMIN_API),
    )
    store_answer(keyed, status=200, body='{"label":"hidden-by-key"}')


def grant(user: User, *codenames: str) -> User:
    """Give permissions of our models; that of Payment.Meta may not be in the migration yet."""
    content_type = ContentType.objects.get_for_model(Payment)
    Permission.objects.get_or_create(
        codename="refund_payment",
        content_type=content_type,
        defaults={"name": "Can refund payments"},
    )
    rows = Permission.objects.filter(content_type__app_label="medusa_payments")
    user.user_permissions.add(*rows.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def url_of(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:medusa_payments_{model._meta.model_name}_{page}", args=args)


def words_of(response: Any) -> str:
    """A page's text, its tags and line breaks left out."""
    text = unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", text)


def choose(client: Client, model: Any, action: str, *rows: Any) -> Any:
    """Choose rows in a list, and an action: the page that asks."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(url_of(model, "changelist"), chosen)


def send(client: Client, model: Any, act: str, *rows: Any, **words: str) -> Any:
    """Send the page that asks, as it was filled in."""
    return client.post(url_of(model, act), {"id": [row.pk for row in rows], **words})


def states_of(response: Any) -> list[str]:
    return re.findall(r'class="mp-result-(\w+)"', response.content.decode())


@pytest.fixture
def clerk(db: None) -> User:
    """May look at payments and refund them, and nothing else."""
    user = User.objects.create_user("clerk", password="pw", is_staff=True)
    return grant(user, "view_payment", "refund_payment")


def staff_client(name: str, *codenames: str) -> Client:
    """The browser of somebody who has just these permissions."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    client = Client()
    client.force_login(grant(user, *codenames))
    return client


@pytest.fixture
def clerk_client(clerk: User) -> Client:
    client = Client()
    client.force_login(clerk)
    return client


_INPUT = re.compile(r"<input[^>]*>|<textarea[^>]*>")
_ATTRIBUTE = re.compile(r'(\w[\w-]*)="([^"]*)"')


def form_of(response: Any, form_id: str = "refund_form") -> dict[str, Any]:
    """What a browser would send of a page, with every field as it was filled in."""
    html = response.content.decode()
    html = html[html.index(f'id="{form_id}"') :]
    fields: dict[str, Any] = {}
    for tag in _INPUT.findall(html[: html.index("</form>")]):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if "name" in attributes:
            fields.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    return fields
