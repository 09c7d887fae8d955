"""What operations and providers say to each other: frozen facts, no models, no database.

Amounts are integers in the currency's smallest unit (ISO 4217). A provider that counts otherwise
converts on its own side. What may hold secrets or the customer's data is left out of every repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from medusa_payments.statuses import DisputeStatus, MovementStatus, ProviderState, WebhookAction

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProviderRefund:
    """A refund as the provider has it."""

    reference: str
    amount_minor: int
    status: MovementStatus  # pending, succeeded or failed
    refund_id: str = ""  # our Refund id, echoed from the provider's metadata
    payment_reference: str = ""
    currency_code: str = ""  # empty: not told
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class ProviderDispute:
    """Money that the customer's bank took back, or is about to."""

    reference: str
    amount_minor: int
    status: DisputeStatus
    payment_reference: str = ""
    currency_code: str = ""  # empty: not told


@dataclass(frozen=True, kw_only=True)
class ProviderPayment:
    """A payment object (at Stripe a PaymentIntent) as the provider had it at ``observed_at``.

    ``refunds`` is None when this view says nothing about refunds; a tuple is the complete list.
    ``refunded_minor`` is a total without detail, None when not told.
    """

    reference: str
    state: ProviderState
    amount_minor: int
    currency_code: str
    observed_at: datetime
    held_minor: int = 0  # can still be captured
    captured_minor: int = 0  # was taken, refunds not subtracted
    funded_minor: int = 0  # was paid in, but the rest of it is waited for
    session_id: str = ""  # our marker, echoed from the provider's metadata
    declined: bool = False  # the last try of the buyer was refused
    refunds: tuple[ProviderRefund, ...] | None = None
    refunded_minor: int | None = None
    disputes: tuple[ProviderDispute, ...] | None = None
    data: Json = field(default_factory=dict, repr=False)  # for the front end and later calls


@dataclass(frozen=True, kw_only=True)
class ProviderRequest:
    """What every request carries. ``data`` is what the provider answered earlier."""

    idempotency_key: str
    session_id: str
    data: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class InitiateRequest(ProviderRequest):
    amount_minor: int
    currency_code: str
    customer: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class CaptureRequest(ProviderRequest):
    reference: str
    amount_minor: int
    currency_code: str
    capture_id: str


@dataclass(frozen=True, kw_only=True)
class RefundRequest(ProviderRequest):
    reference: str
    amount_minor: int
    currency_code: str
    refund_id: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CancelRequest(ProviderRequest):
    reference: str


@dataclass(frozen=True, kw_only=True)
class UpdateRequest(ProviderRequest):
    """Change what a payment that nobody has paid yet asks for."""

    reference: str
    amount_minor: int
    currency_code: str


@dataclass(frozen=True, kw_only=True)
class LookupRequest:
    """Find what became of a session at the provider; changes nothing there.

    With a ``reference`` the object is read. Without one the provider lists what was created
    between ``created_from`` and ``created_to`` (and for ``customer``, the one that the initiate
    named, if it named one) and matches our session id. ``amount_minor`` and ``currency_code`` are
    what the session asks for; a provider without an outside world has no other source for them.

    For lookups of many sessions at once: the object was most likely made between ``asked_from``
    and ``asked_to``, when the request for it was on its way. Not finding it proves nothing before
    ``conclusive_from``; a listing that was read before ``fresh_after`` is too old for this one.
    """

    session_id: str
    reference: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None
    with_refunds: bool = False
    data: Json = field(default_factory=dict, repr=False)
    customer: Json = field(default_factory=dict, repr=False)
    amount_minor: int | None = None
    currency_code: str = ""
    asked_from: datetime | None = None
    asked_to: datetime | None = None
    conclusive_from: datetime | None = None
    fresh_after: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AccountHolderRequest:
    """``reference`` is the provider's id of the holder, empty while it has none."""

    idempotency_key: str
    account_holder_id: str
    reference: str = ""
    customer: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class PaymentMethodRequest:
    """Both ``reference`` (the method's) and ``account_holder`` are ids of the provider.

    ``account_holder_id`` and ``call_id`` are our own: markers to find the object again by.
    """

    idempotency_key: str
    account_holder: str
    reference: str = ""
    account_holder_id: str = ""
    call_id: str = ""
    data: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class AccountHolderLookup:
    """Find what became of a call about a holder; changes nothing at the provider.

    With a ``reference`` the holder is read. Without one the provider lists what was created
    between ``created_from`` and ``created_to``, for ``customer``'s email, and matches our id.
    """

    account_holder_id: str
    reference: str = ""
    customer: Json = field(default_factory=dict, repr=False)
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PaymentMethodLookup:
    """Find what became of saving or forgetting a payment method.

    With a ``reference`` the method is read; one that belongs to no holder, or to another, is not
    found. Without one, what saving made is listed for the holder and matched by our call's id.
    """

    account_holder: str
    call_id: str
    reference: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class KeptObject:
    """A holder, or what saving a payment method made, as the provider has it."""

    reference: str
    is_as_asked: bool = True  # a holder: it has the details that the lookup named
    data: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class KeptFound:
    """Oldest first; more than one with our id should not exist."""

    objects: tuple[KeptObject, ...]


class FailureKind(Enum):
    """Why a provider said no. What each kind proves is told beside it."""

    REFUSED = (
        "refused"  # bad arguments; answered before the call ran, says nothing of earlier tries
    )
    DECLINED = "declined"  # the customer's bank said no; final for this key
    WRONG_STATE = "wrong_state"  # this try did nothing; the object's state says what is true
    RATE_LIMITED = "rate_limited"  # this try did not run
    UNAVAILABLE = "unavailable"  # nothing was written to a socket
    MISCONFIGURED = "misconfigured"  # the shop's key is wrong at the provider


# The values of the kinds after which nothing exists at the provider and trying later may help.
NOT_REACHED = frozenset(
    kind.value
    for kind in (FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE, FailureKind.MISCONFIGURED)
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is common to all outcomes. ``code`` and ``detail`` never hold secrets."""

    request_id: str = ""
    code: str = ""
    detail: str = ""
    replayed: bool = False  # a stored answer, served again for the same key
    key_is_spent: bool = False  # the same key can only repeat this useless answer
    payment: ProviderPayment | None = None
    refund: ProviderRefund | None = None

    @property
    def indeterminate(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Succeeded(Answer):
    data: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Failed(Answer):
    kind: FailureKind
    decline_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Indeterminate(Answer):
    """Money may have moved. ``ask_again``: the same key may be sent again within the budget."""

    ask_again: bool = True
    is_server_error: bool = False  # the provider answered that it failed, which it may store

    @property
    def indeterminate(self) -> bool:
        return True


Outcome = Succeeded | Failed | Indeterminate


@dataclass(frozen=True, kw_only=True)
class Found:
    """``others``: further objects with the same session id, which should not exist."""

    payment: ProviderPayment
    others: tuple[ProviderPayment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """The provider answered, and its answer does not hold the object."""

    listed: bool = True  # from a listing, which may lag; False: a read of the reference said so


@dataclass(frozen=True, kw_only=True)
class NoAnswer:
    """The lookup itself failed: nothing was learned.

    ``is_outage``: for a reason that has nothing to do with what was asked for: the provider was
    not reached, is overloaded, or does not know the shop's key.
    """

    code: str = ""
    detail: str = ""
    is_outage: bool = False


LookupResult = Found | NotFound | NoAnswer
KeptLookupResult = KeptFound | NotFound | NoAnswer


@dataclass(frozen=True, kw_only=True)
class VerifiedWebhook:
    """A delivery whose signature is good. ``payload`` is safe to store: secrets are removed."""

    event_id: str
    event_type: str
    payload: Json = field(repr=False)
    occurred_at: datetime
    account: str = ""
    quarantine: str = ""  # why it must not be applied: wrong livemode or account
    note: str = ""  # worth showing, such as another api_version


@dataclass(frozen=True, kw_only=True)
class WebhookReport:
    """What a stored event says. ``action`` and ``amount_minor`` are Medusa's view of it."""

    action: WebhookAction = WebhookAction.NOT_SUPPORTED
    session_id: str = ""
    reference: str = ""
    amount_minor: int | None = None
    payment: ProviderPayment | None = None
    refund: ProviderRefund | None = None
    dispute: ProviderDispute | None = None
    finding: str = ""  # a DiscrepancyKind that a person must see
    needs_look: bool = False  # tells that something changed, but not all of it


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a provider can do. Rules that differ between providers are data, not code."""

    captures_per_authorization: int | None = None  # None: any number
    partial_capture: bool = True
    repeats_with_key: bool = False  # the same key makes the same request happen once
    key_retention_seconds: float = 0.0  # how long it remembers a key
    can_look_up: bool = False  # lookup() can find an object; False: its answers are the only truth
    signs_webhooks: bool = False
    total_budget_seconds: float = 30.0  # all tries of one call together
    attempt_seconds: float = 30.0  # one try at its longest
    max_attempts: int = 1
