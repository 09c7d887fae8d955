"""What an initiate sends: the session's amount, our marker, and what its data may override."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from medusa_payments.errors import InvalidData
from medusa_payments.providers.stripe.amounts import to_stripe
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.providers.types import InitiateRequest, Json

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_flat(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(each, (str, int, float)) for each in value.values()
    )


# Key of a session's data -> what its value must be.
OVERRIDES: dict[str, Check] = {
    "automatic_payment_methods": _is_mapping,
    "capture_method": _is_text,
    "confirm": _is_flag,
    "metadata": _is_flat,
    "off_session": lambda value: _is_flag(value) or _is_text(value),
    "payment_description": _is_text,
    "payment_method": _is_text,
    "payment_method_configuration": _is_text,
    "payment_method_data": _is_mapping,
    "payment_method_options": _is_mapping,
    "payment_method_types": _is_texts,
    "return_url": _is_text,
    "setup_future_usage": _is_text,
    "shared_payment_token": _is_text,
}
_NAMES = {"payment_description": "description"}

# Stripe refuses these unless it is to confirm at once.
_ONLY_WITH_CONFIRM = ("off_session", "return_url")
# Any of these says which payment methods the buyer is offered.
_CHOICES_OF_METHODS = (
    "payment_method_types",
    "automatic_payment_methods",
    "payment_method_configuration",
)
# Confirming from a server without a return_url is refused while a method might redirect the buyer.
_NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}


def check_data(data: Json) -> None:
    """:raises InvalidData: an override is not of the kind that Stripe takes."""
    for key, is_right in OVERRIDES.items():
        if data.get(key) is not None and not is_right(data[key]):
            raise InvalidData(f"The value of {key} in data is not of the kind that Stripe takes.")


def initiate_parameters(
    request: InitiateRequest, options: StripeOptions, defaults: Json
) -> dict[str, Any]:
    """The body of the request that creates a PaymentIntent. ``defaults`` yield to the data.

    :raises InvalidData: an amount, currency or override that Stripe does not take.
    """
    check_data(request.data)
    overrides = _overrides(request.data)
    return {
        "capture_method": options.capture,
        **_described(options),
        **_without_choices(defaults),
        **_offered_methods(overrides, defaults, options),
        **_without_choices(overrides),
        "amount": to_stripe(request.amount_minor, request.currency_code),
        "currency": request.currency_code.lower(),
        "metadata": {**(request.data.get("metadata") or {}), "session_id": request.session_id},
        **customer_parameter(request.customer),
    }


def customer_parameter(customer: Json) -> dict[str, str]:
    """The customer's id at Stripe, to which the shop's own id of them means nothing."""
    reference = customer.get("id")
    return (
        {"customer": reference}
        if isinstance(reference, str) and reference.startswith("cus_")
        else {}
    )


def _overrides(data: Json) -> dict[str, Any]:
    given = {key: data[key] for key in OVERRIDES if data.get(key) is not None}
    given.pop("metadata", None)
    if not given.get("confirm"):
        for key in _ONLY_WITH_CONFIRM:
            given.pop(key, None)
    return {_NAMES.get(key, key): value for key, value in given.items()}


def _described(options: StripeOptions) -> dict[str, str]:
    return {"description": options.payment_description} if options.payment_description else {}


def _offered_methods(overrides: Json, defaults: Json, options: StripeOptions) -> dict[str, Any]:
    """What the data chooses, else the variant, else the options; never a mixture."""
    chosen = _choices(overrides) or _choices(defaults) or _choices(_of_options(options))
    is_said = "payment_method_types" in chosen or "automatic_payment_methods" in overrides
    if overrides.get("confirm") and not overrides.get("return_url") and not is_said:
        return chosen | {"automatic_payment_methods": _NO_REDIRECTS}
    return chosen


def _of_options(options: StripeOptions) -> dict[str, Any]:
    if options.payment_method_configuration:
        return {"payment_method_configuration": options.payment_method_configuration}
    enabled = options.automatic_payment_methods
    return {"automatic_payment_methods": {"enabled": True}} if enabled else {}


def _choices(parameters: Json) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key in _CHOICES_OF_METHODS}


def _without_choices(parameters: Json) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key not in _CHOICES_OF_METHODS}
