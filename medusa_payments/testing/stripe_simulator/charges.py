"""Charges: one for each try at taking an intent's money."""

from .errors import JsonObject
from .identifiers import new_id
from .payment_methods import Decline, empty_billing_details, test_method_of
from .store import Record
from .world import World


def make_charge(
    world: World, intent: Record, method: Record, *, status: str, captured: bool
) -> Record:
    """A charge with the intent's metadata as it is at this moment."""
    paid = status == "succeeded"
    amount: int = intent["amount"]
    data: JsonObject = {
        "id": new_id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if captured and paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn") if captured and paid else None,
        "billing_details": empty_billing_details(),
        "calculated_statement_descriptor": "SIMULATOR",
        "captured": captured and paid,
        "created": world.clock.seconds(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome("approved_by_network" if paid else "not_sent_to_network", "authorized"),
        "paid": paid,
        "payment_intent": intent.id,
        "payment_method": method.id,
        "payment_method_details": _method_details(method),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }
    charge = world.store.add(data, account=intent.account)
    intent["latest_charge"] = charge.id
    return charge


def mark_failed(charge: Record, decline: Decline) -> None:
    charge.data |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "amount_captured": 0,
        "balance_transaction": None,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome(
            "declined_by_network", "issuer_declined", decline.decline_code or decline.code
        ),
    }


def mark_paid(charge: Record, *, captured: bool) -> None:
    charge.data |= {
        "status": "succeeded",
        "paid": True,
        "captured": captured,
        "amount_captured": charge["amount"] if captured else 0,
        "outcome": _outcome("approved_by_network", "authorized"),
    }


def latest_charge(world: World, intent: Record) -> Record | None:
    identifier = intent["latest_charge"]
    return world.store.find(identifier) if identifier else None


def _outcome(network_status: str, outcome_type: str, reason: str | None = None) -> JsonObject:
    return {
        "network_status": network_status,
        "reason": reason,
        "risk_level": "normal",
        "seller_message": "Payment complete."
        if reason is None
        else "The bank declined the payment.",
        "type": outcome_type,
    }


def _method_details(method: Record) -> JsonObject:
    test = test_method_of(method)
    details: JsonObject = dict(method[test.type])
    if test.type == "card":
        details["three_d_secure"] = None
    return {"type": test.type, test.type: details}
