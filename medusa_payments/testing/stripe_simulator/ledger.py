"""Where the money is, computed from the objects: what a test holds a shop's record against."""

from typing import TypedDict

from .disputes import withdrawn_amount
from .releases import refunded_amount, refunds_of
from .store import Record
from .world import World

_PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "processing")


class LedgerRefund(TypedDict):
    id: str
    amount: int
    status: str
    metadata: dict[str, str]


class LedgerLine(TypedDict):
    id: str
    account: str
    metadata: dict[str, str]
    session_id: str | None  # what the shop wrote into the metadata
    amount: int
    currency: str
    status: str
    amount_capturable: int
    amount_received: int
    amount_refunded: int  # succeeded and pending refunds of captured money, no released holds
    disputed: int  # withdrawn by disputes that are open or lost
    kept: int  # received less refunded
    held: int
    payable: bool  # the buyer may still be charged
    refunds: list[LedgerRefund]


class LedgerTotals(TypedDict):
    intents: int
    amount_received: int
    amount_refunded: int
    disputed: int
    kept: int
    held: int


class Ledger(TypedDict):
    intents: dict[str, LedgerLine]
    totals: dict[str, LedgerTotals]


def ledger_of(world: World) -> Ledger:
    lines = {
        intent.id: _line(world, intent) for intent in world.store.oldest_first("payment_intent")
    }
    currencies = {line["currency"] for line in lines.values()}
    totals = {
        currency: _totals([line for line in lines.values() if line["currency"] == currency])
        for currency in sorted(currencies)
    }
    return Ledger(intents=lines, totals=totals)


def _line(world: World, intent: Record) -> LedgerLine:
    charges = world.store.linked("charge", "payment_intent", intent.id)
    refunds = [refund for charge in charges for refund in refunds_of(world, charge)]
    refunded = refunded_amount(refunds)
    return LedgerLine(
        id=intent.id,
        account=intent.account,
        metadata=intent["metadata"],
        session_id=intent["metadata"].get("session_id"),
        amount=intent["amount"],
        currency=intent["currency"],
        status=intent["status"],
        amount_capturable=intent["amount_capturable"],
        amount_received=intent["amount_received"],
        amount_refunded=refunded,
        disputed=sum(withdrawn_amount(world, charge) for charge in charges),
        kept=intent["amount_received"] - refunded,
        held=intent["amount_capturable"],
        payable=intent["status"] in _PAYABLE,
        refunds=[_refund(refund) for refund in refunds],
    )


def _refund(refund: Record) -> LedgerRefund:
    return LedgerRefund(
        id=refund.id, amount=refund["amount"], status=refund["status"], metadata=refund["metadata"]
    )


def _totals(lines: list[LedgerLine]) -> LedgerTotals:
    return LedgerTotals(
        intents=len(lines),
        amount_received=sum(line["amount_received"] for line in lines),
        amount_refunded=sum(line["amount_refunded"] for line in lines),
        disputed=sum(line["disputed"] for line in lines),
        kept=sum(line["kept"] for line in lines),
        held=sum(line["held"] for line in lines),
    )
