"""The account a key belongs to."""

from .errors import JsonObject
from .world import Call, World


def retrieve(world: World, call: Call) -> JsonObject:
    return {
        "id": call.account,
        "object": "account",
        "business_profile": {"name": "Stripe simulator", "url": None},
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "simulator@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }
