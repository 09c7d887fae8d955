"""The shop's customer as account holders are made of: plain details, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medusa_payments.errors import InvalidData

_LONGEST = 255
_LONGEST_EMAIL = 254
_TEXTS = ("email", "first_name", "last_name", "company_name", "phone")
_ADDRESS = (
    "address_1",
    "address_2",
    "city",
    "country_code",
    "province",
    "postal_code",
)


def details_of(customer: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider is told of a customer (CONTRACT 7.1); other keys are the shop's business.

    :raises InvalidData: no id, or a detail that is no text.
    """
    if not isinstance(customer, Mapping):
        raise InvalidData("A customer is a mapping with an id and details.")
    reference = customer.get("id")
    if not isinstance(reference, str) or not 0 < len(reference) <= _LONGEST:
        raise InvalidData("A customer needs an id: a text of at most 255 characters.")
    details: dict[str, Any] = {"id": reference, **_texts(customer, _TEXTS)}
    if len(details.get("email", "")) > _LONGEST_EMAIL:
        raise InvalidData("The customer's email is longer than 254 characters.")
    address = customer.get("billing_address")
    if isinstance(address, Mapping) and (known := _texts(address, _ADDRESS)):
        details["billing_address"] = known
    return details


def _texts(source: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    given = {name: source[name] for name in names if source.get(name) not in (None, "")}
    for name, value in given.items():
        if not isinstance(value, str):
            raise InvalidData(f"The customer's {name} is not a text.")
    return given
