"""Every error that the package raises: one tree, the facts as attributes, a stable ``code``.

A docstring is the error's default message. HTTP statuses belong to ``api/errors.py``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class MedusaPaymentsError(Exception):
    """The payment could not be handled."""

    code: ClassVar[str] = "payments_error"

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        self.message = message or self._default_message(facts)
        for name, value in facts.items():
            setattr(self, name, value)
        super().__init__(self.message)

    def _default_message(self, facts: dict[str, Any]) -> str:
        text = " ".join((type(self).__doc__ or "").split())
        return text.format(**facts) if facts else text


class ConfigurationError(MedusaPaymentsError):
    """The setting MEDUSA_PAYMENTS is not usable."""

    code = "configuration_error"


class OpenTransaction(MedusaPaymentsError):
    """This operation asks a payment provider and commits what it learns, so it cannot run inside
    an open transaction: a rollback would erase the record of money that moved. Call it outside
    transaction.atomic(); where ATOMIC_REQUESTS is on, mark the view with
    django.db.transaction.non_atomic_requests."""

    code = "open_transaction"


class InvalidData(MedusaPaymentsError):
    """The request is not valid."""

    code = "invalid_data"


class InvalidAmount(InvalidData):
    """The amount is not valid."""

    code = "invalid_amount"


class UnsupportedCurrency(InvalidData):
    """Currency code {currency_code} is not supported; use a three-letter ISO 4217 code."""

    code = "unsupported_currency"


class UnknownProvider(InvalidData):
    """Payment provider {provider_id} is not registered or not enabled."""

    code = "unknown_provider"


class Unauthorized(MedusaPaymentsError):
    """Invalid email or password"""

    code = "unauthorized"


class NotFound(MedusaPaymentsError):
    """The record was not found."""

    code = "not_found"


class NotAllowed(MedusaPaymentsError):
    """The record's state does not allow this."""

    code = "not_allowed"


class PaymentCanceled(InvalidData):
    """The payment: {payment_id} has been canceled."""

    code = "payment_canceled"


class CaptureExceedsCapturable(InvalidData):
    """You cannot capture more than the authorized amount substracted by what is already
    captured."""

    code = "capture_exceeds_capturable"


class RefundExceedsRefundable(InvalidData):
    """You are not allowed to refund more than the captured amount"""

    code = "refund_exceeds_refundable"


class RefundRefused(NotAllowed):
    """The provider refused the refund; nothing was given back."""

    code = "refund_refused"


class CaptureRefused(NotAllowed):
    """The provider refused the capture; nothing was taken."""

    code = "capture_refused"


class CancelRefused(NotAllowed):
    """The provider refused to cancel; the payment is as it was."""

    code = "cancel_refused"


class UpdateRefused(NotAllowed):
    """The provider refused to change the payment; it is as it was."""

    code = "update_refused"


class InitiateRefused(NotAllowed):
    """The provider refused to start the payment; nothing was taken."""

    code = "initiate_refused"


class Conflict(MedusaPaymentsError):
    """The request conflicted with another request that is still running. Try again with the same
    Idempotency-Key."""

    code = "conflict"

    retry_after: int = 1


class RequestKeyReused(Conflict):
    """This Idempotency-Key was used before with other arguments. Use a new key for another
    act."""

    code = "request_key_reused"

    retry_after: int = 0  # the same answer every time


class RequestKeySpent(RequestKeyReused):
    """This Idempotency-Key started payment session {session_id}, which is over: {ending}. Use a
    new key to start another."""

    code = "request_key_spent"


class PaymentDeclined(MedusaPaymentsError):
    """The payment was declined. Nothing was taken; try another payment method."""

    code = "payment_declined"

    decline_code: str
    session_id: str


class PaymentProviderUnavailable(MedusaPaymentsError):
    """The payment provider cannot be reached. Nothing was taken; please try again in a moment."""

    code = "payment_provider_unavailable"

    retry_after: int = 5


class PaymentIndeterminate(MedusaPaymentsError):
    """The payment provider did not answer, so we do not know yet whether you were charged. Please
    try again: if the first attempt did take money, it is given back automatically."""

    code = "payment_indeterminate"

    session_id: str
    provider_id: str
    retry_after: int = 1


class PersonRequired(NotAllowed):
    """Only a named person can decide this, with a reason; no part of the system can. Name one with
    --actor, or log in."""

    code = "person_required"


class AlreadyDecided(NotAllowed):
    """This was decided already; nothing was changed."""

    code = "already_decided"


class SecondWord(NotAllowed):
    """{actor} has given their word on this already; it takes another person."""

    code = "second_word"


class AccountHolderRefused(NotAllowed):
    """The payment provider refused this for the customer. Nothing was changed and nothing was
    charged."""

    code = "account_holder_refused"

    account_holder_id: str


class AccountHolderIndeterminate(MedusaPaymentsError):
    """The payment provider did not answer, so we do not know yet whether it saved the change for
    this customer. Nothing was charged. Please try again in a moment: the same request is taken up
    again, and finds out by itself."""

    code = "account_holder_indeterminate"

    account_holder_id: str
    retry_after: int = 5


class WebhookRejected(MedusaPaymentsError):
    """The webhook is not signed by the provider, too old, or malformed; nothing was stored."""

    code = "webhook_rejected"


class ImmutableRecord(MedusaPaymentsError):
    """Payment records are kept for ever: this one cannot be deleted or rewritten."""

    code = "immutable_record"
