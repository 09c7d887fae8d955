"""The contract of a payment provider."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from medusa_payments.errors import NotAllowed
from medusa_payments.providers.batches import BatchAnswer, LookupBatch, Reading
from medusa_payments.providers.ledger_types import LedgerPage, LedgerQuery
from medusa_payments.providers.types import (
    AccountHolderLookup,
    AccountHolderRequest,
    CancelRequest,
    Capabilities,
    CaptureRequest,
    Found,
    InitiateRequest,
    Json,
    KeptLookupResult,
    LookupRequest,
    LookupResult,
    NoAnswer,
    NotFound,
    Outcome,
    PaymentMethodLookup,
    PaymentMethodRequest,
    RefundRequest,
    UpdateRequest,
    VerifiedWebhook,
    WebhookReport,
)


class PaymentProvider(ABC):
    """One way to take money.

    Methods that change something at the provider return ``Succeeded``, ``Failed`` or
    ``Indeterminate``. ``Failed`` is a promise: nothing happened. Whatever is neither provably done
    nor provably refused is ``Indeterminate``; any exception that escapes counts as that too, so a
    provider that knows nothing of ``Indeterminate`` works unchanged. A method makes *one* attempt:
    repeating with the same key is the caller's business (``capabilities.repeats_with_key``).

    Methods are called with no transaction open and must not touch the database.
    """

    identifier: ClassVar[str]

    def __init__(self, provider_id: str, options: Mapping[str, Any]) -> None:
        self.id = provider_id
        self.options = options
        self.validate_options(options)

    @classmethod
    def validate_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse options that cannot work.

        :raises ConfigurationError: an option is missing or wrong.
        """

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities: ...

    @property
    def credentials(self) -> str:
        """Names the account behind this provider. Providers that share it share its events."""
        return self.id

    @property
    def accepts_webhooks(self) -> bool:
        """Whether a signed event could be accepted: False where a secret to check it is missing."""
        return True

    @property
    def store_data_keys(self) -> Collection[str] | None:
        """Keys that a browser may put into a session's data. None: any key."""
        return ()

    @property
    def trusted_data_keys(self) -> Collection[str] | None:
        """Keys that the shop's own server may put into a session's data. None: any key."""
        return None

    def check_amount(self, amount_minor: int, currency_code: str) -> None:
        """Refuse an amount that the provider cannot take exactly.

        :raises InvalidData: an amount or currency that the provider does not take.
        """

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Refuse session data that the provider could not send on.

        :raises InvalidData: a value of the wrong kind.
        """

    def takes_money_at_once(self, data: Mapping[str, Any]) -> bool:
        """Whether an initiate with this data holds or takes money before the buyer acts."""
        return False

    def captures_by_itself(self, data: Mapping[str, Any]) -> bool:
        """Whether a payment with this session data is taken without a capture of ours."""
        return False

    @abstractmethod
    def initiate_payment(self, request: InitiateRequest) -> Outcome: ...

    @abstractmethod
    def capture_payment(self, request: CaptureRequest) -> Outcome: ...

    @abstractmethod
    def refund_payment(self, request: RefundRequest) -> Outcome:
        """Give captured money back.

        ``Succeeded`` means that the provider took the request; the money's own state is in the
        outcome's ``refund`` (pending, succeeded, failed), and without one it is back.
        """

    @abstractmethod
    def cancel_payment(self, request: CancelRequest) -> Outcome: ...

    def delete_payment(self, request: CancelRequest) -> Outcome:
        """Close what a deleted or replaced session left open."""
        return self.cancel_payment(request)

    @abstractmethod
    def authorize_payment(self, request: LookupRequest) -> LookupResult:
        """Tell where the payment stands now. Changes nothing at the provider."""

    def retrieve_payment(self, request: LookupRequest) -> LookupResult:
        """Read the payment by its reference."""
        return self.lookup(request)

    def get_payment_status(self, request: LookupRequest) -> LookupResult:
        """Medusa's getPaymentStatus; the status is the found payment's ``state``."""
        return self.retrieve_payment(request)

    def lookup(self, request: LookupRequest) -> LookupResult:
        """Find what became of a call. Changes nothing at the provider."""
        return NoAnswer(code="not_supported", detail="This provider cannot be asked.")

    def lookup_many(self, batch: LookupBatch) -> BatchAnswer:
        """Find what became of many sessions, with as few reads as can be.

        Changes nothing at the provider. A provider with lists overrides it; without, each session
        is one ``lookup``, and the sweep counts it as one read.
        """
        readings: dict[str, Reading] = {}
        for request in batch.requests[: batch.max_reads]:
            asked_at = time.monotonic()
            try:
                result: object = self.lookup(request)
            except Exception as error:  # noqa: BLE001 - whatever escapes a lookup proves nothing
                result = NoAnswer(code="exception", detail=type(error).__name__)
            if not isinstance(result, Found | NotFound | NoAnswer):
                result = NoAnswer(code="no_result")
            readings[request.session_id] = Reading(result, asked_at)
        return BatchAnswer(readings=readings, reads=len(readings))

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> VerifiedWebhook:
        """Check the signature and return what may be stored.

        :raises WebhookRejected: forged, stale, unsigned or malformed.
        """
        raise NotImplementedError

    def read_webhook(self, payload: Mapping[str, Any]) -> WebhookReport:
        """What a stored event says (Medusa's getWebhookActionAndData)."""
        return WebhookReport()

    # What follows is optional: ask ``supports`` first. A provider that lacks it raises NotAllowed,
    # before anything was asked.

    def supports(self, method: str) -> bool:
        """Whether this provider has its own version of a method that is optional here."""
        return getattr(type(self), method) is not getattr(PaymentProvider, method)

    def update_payment(self, request: UpdateRequest) -> Outcome:
        """Change the amount of a payment that nobody has paid yet."""
        raise self._lacks("change a payment")

    def list_ledger(self, query: LedgerQuery) -> LedgerPage | NoAnswer:
        """One page of everything that the account holds, whoever made it, newest first.

        One request to the provider; changes nothing there.
        """
        raise self._lacks("list what it holds")

    def retrieve_account_holder(self, reference: str) -> Json | None:
        """What the provider keeps about a holder. None: it has none of that id."""
        raise self._lacks("keep account holders")

    def create_account_holder(self, request: AccountHolderRequest) -> Outcome:
        """Make the shop's customer known; ``data["id"]`` of the outcome is the provider's id."""
        raise self._lacks("keep account holders")

    def update_account_holder(self, request: AccountHolderRequest) -> Outcome:
        """Write the customer's present details over the provider's."""
        raise self._lacks("keep account holders")

    def delete_account_holder(self, request: AccountHolderRequest) -> Outcome:
        """Make the provider forget the holder and what it saved for them."""
        raise self._lacks("keep account holders")

    def lookup_account_holder(self, request: AccountHolderLookup) -> KeptLookupResult:
        """Find what became of a call about a holder. Changes nothing at the provider."""
        return NoAnswer(code="not_supported", detail="This provider cannot be asked.")

    def list_payment_methods(self, account_holder: str) -> list[Json]:
        """The payment methods saved for a holder, each with its ``id``."""
        raise self._lacks("save payment methods")

    def save_payment_method(self, request: PaymentMethodRequest) -> Outcome:
        """Begin to save a payment method; ``data`` holds what the front end finishes it with."""
        raise self._lacks("save payment methods")

    def check_payment_method_data(self, data: Mapping[str, Any]) -> None:
        """Refuse data that a payment method cannot be saved with.

        :raises InvalidData: a key or value that the provider does not take.
        """

    def delete_payment_method(self, request: PaymentMethodRequest) -> Outcome:
        """Forget a saved payment method."""
        raise self._lacks("save payment methods")

    def lookup_payment_method(self, request: PaymentMethodLookup) -> KeptLookupResult:
        """Find what became of a call about a payment method. Changes nothing at the provider."""
        return NoAnswer(code="not_supported", detail="This provider cannot be asked.")

    def _lacks(self, ability: str) -> NotAllowed:
        return NotAllowed(f"Payment provider {self.id} does not {ability}.")
