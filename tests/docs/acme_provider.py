"""Acme Pay, an invented gateway, as a payment provider. docs/providers.md shows this file."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from medusa_payments.errors import ConfigurationError, WebhookRejected
from medusa_payments.money import to_major, to_minor
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    CancelRequest,
    Capabilities,
    CaptureRequest,
    Failed,
    FailureKind,
    Found,
    Indeterminate,
    InitiateRequest,
    Json,
    LookupRequest,
    LookupResult,
    NoAnswer,
    NotFound,
    Outcome,
    ProviderPayment,
    ProviderRefund,
    ProviderRequest,
    RefundRequest,
    Succeeded,
    VerifiedWebhook,
    WebhookReport,
)
from medusa_payments.redaction import redact
from medusa_payments.statuses import MovementStatus, ProviderState, WebhookAction

_STATES = {  # a status that is not here raises KeyError, which proves nothing: it is never guessed
    "open": (ProviderState.PAYABLE, WebhookAction.PENDING),
    "authorized": (ProviderState.HELD, WebhookAction.AUTHORIZED),
    "captured": (ProviderState.CAPTURED, WebhookAction.CAPTURED),
    "voided": (ProviderState.CANCELED, WebhookAction.CANCELED),
}
_REFUND_STATUSES = {
    "pending": MovementStatus.PENDING,
    "done": MovementStatus.SUCCEEDED,
    "failed": MovementStatus.FAILED,
}
_REFUSALS = {  # Acme's promises that nothing happened; what is not here is no such promise
    (400, "invalid_request"): FailureKind.REFUSED,
    (400, "amount_too_large"): FailureKind.REFUSED,
    (401, "unauthorized"): FailureKind.MISCONFIGURED,
    (402, "declined"): FailureKind.DECLINED,
    (409, "wrong_state"): FailureKind.WRONG_STATE,
    (429, "rate_limited"): FailureKind.RATE_LIMITED,
}
_TOLERANCE = 300  # seconds that a signature may be old


class NothingSentError(Exception):
    """There was no connection, so no byte of the request left."""


class AcmeProvider(PaymentProvider):
    """Options: ``API_KEY``, ``WEBHOOK_SECRET``, ``API_BASE``, ``TIMEOUT``."""

    identifier = "acme"

    @classmethod
    def validate_options(cls, options: Mapping[str, Any]) -> None:
        if missing := [name for name in ("API_KEY", "WEBHOOK_SECRET") if not options.get(name)]:
            raise ConfigurationError(f"Acme Pay needs the options {', '.join(missing)}.")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            captures_per_authorization=1,  # Acme releases what is left
            repeats_with_key=True,
            key_retention_seconds=24 * 60 * 60,
            can_look_up=True,
            signs_webhooks=True,
            max_attempts=2,
            attempt_seconds=2 * self._timeout,  # to connect, then to wait for the answer
            total_budget_seconds=5 * self._timeout,
        )

    def takes_money_at_once(self, data: Mapping[str, Any]) -> bool:
        return bool(data.get("token"))  # a saved card; only the shop's server may send one

    # What changes something at Acme

    def initiate_payment(self, request: InitiateRequest) -> Outcome:
        body = {
            "amount": _to_acme(request.amount_minor, request.currency_code),
            "currency": request.currency_code.upper(),
            "merchant_reference": request.session_id,  # by this a lost payment is found again
            "token": request.data.get("token"),
        }
        return self._ask("/payments", body, request)

    def capture_payment(self, request: CaptureRequest) -> Outcome:
        body = {"amount": _to_acme(request.amount_minor, request.currency_code)}
        return self._ask(f"/payments/{quote(request.reference)}/capture", body, request)

    def cancel_payment(self, request: CancelRequest) -> Outcome:
        return self._ask(f"/payments/{quote(request.reference)}/void", {}, request)

    def refund_payment(self, request: RefundRequest) -> Outcome:
        amount = _to_acme(request.amount_minor, request.currency_code)
        body = {"amount": amount, "merchant_reference": request.refund_id}
        return self._ask(f"/payments/{quote(request.reference)}/refunds", body, request)

    def _ask(self, path: str, body: Json, request: ProviderRequest) -> Outcome:
        try:
            status, answer = self._send("POST", path, body, key=request.idempotency_key)
        except NothingSentError:
            return Failed(kind=FailureKind.UNAVAILABLE, code="not_connected")
        except (OSError, HTTPException, ValueError) as error:  # cut off, too late, or no JSON
            return Indeterminate(code="no_answer", detail=type(error).__name__)
        payment = _payment(answer["payment"]) if "payment" in answer else None
        if status in (200, 201):
            refund = _refund(answer["refund"], answer["payment"]) if "refund" in answer else None
            return Succeeded(payment=payment, refund=refund, data=payment.data if payment else {})
        code = answer.get("error", "")
        if kind := _REFUSALS.get((status, code)):
            return Failed(kind=kind, code=code, payment=payment)
        return Indeterminate(
            code=code or f"http_{status}",
            ask_again=code != "key_of_another_request",
            is_server_error=status >= 500,
        )

    # What only reads

    def authorize_payment(self, request: LookupRequest) -> LookupResult:
        return self.lookup(request)

    def lookup(self, request: LookupRequest) -> LookupResult:
        try:
            return self._read(request.reference) if request.reference else self._search(request)
        except Exception as error:  # noqa: BLE001 - nothing was learned, whatever it is
            return NoAnswer(code="no_answer", detail=type(error).__name__)

    def _read(self, reference: str) -> LookupResult:
        status, answer = self._send("GET", f"/payments/{quote(reference)}")
        if (status, answer.get("error")) == (404, "no_such_payment"):
            return NotFound(listed=False)
        return Found(payment=_payment(answer["payment"]))

    def _search(self, request: LookupRequest) -> LookupResult:
        listed = self._pages(request)
        ours = [each for each in listed if each["merchant_reference"] == request.session_id]
        if not ours:
            return NotFound(listed=True)
        return Found(payment=_payment(ours[0]), others=tuple(_payment(each) for each in ours[1:]))

    def _pages(self, request: LookupRequest) -> Iterator[Json]:
        """To the last one: an answer that leaves out a page says nothing of what is not in it."""
        window = {"created_from": request.created_from, "created_to": request.created_to}
        query = {name: time.isoformat() for name, time in window.items() if time}
        while query:
            _, page = self._send("GET", f"/payments?{urlencode(query)}")
            yield from page["payments"]
            query = {**query, "after": page["next"]} if page["next"] else {}

    # Webhooks

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> VerifiedWebhook:
        lower = {name.lower(): value for name, value in headers.items()}
        sent_at, _, signature = lower.get("acme-signature", "").partition(".")
        secret = self.options["WEBHOOK_SECRET"].encode()
        expected = hmac.new(secret, sent_at.encode() + b"." + body, "sha256").hexdigest()
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise WebhookRejected("The signature is not Acme's.")
        if abs(time.time() - float(sent_at)) > _TOLERANCE:
            raise WebhookRejected("The signature is too old.")
        try:
            event = json.loads(body)
            return VerifiedWebhook(
                event_id=event["id"],
                event_type=event["type"],
                payload=redact(event),
                occurred_at=datetime.fromisoformat(event["payment"]["as_of"]),
            )
        except (ValueError, TypeError, LookupError) as error:
            raise WebhookRejected("The body is no event of Acme's.") from error

    def read_webhook(self, payload: Mapping[str, Any]) -> WebhookReport:
        payment = _payment(payload["payment"])
        return WebhookReport(
            action=_STATES[payload["payment"]["status"]][1],
            session_id=payment.session_id,
            reference=payment.reference,
            amount_minor=payment.amount_minor,
            payment=payment,
            refund=_refund(payload["refund"], payload["payment"]) if "refund" in payload else None,
        )

    # One request over HTTP

    @property
    def _timeout(self) -> float:
        return float(self.options.get("TIMEOUT", 10))

    def _send(self, method: str, path: str, body: Json | None = None, *, key: str = "") -> Any:
        """Status and JSON of the answer."""
        base = urlsplit(self.options.get("API_BASE", "https://api.acme-pay.example"))
        connect = HTTPSConnection if base.scheme == "https" else HTTPConnection
        connection = connect(base.netloc, timeout=self._timeout)
        headers = {"Authorization": f"Bearer {self.options['API_KEY']}", "Idempotency-Key": key}
        try:
            connection.connect()
        except OSError as error:
            raise NothingSentError from error
        try:
            connection.request(method, base.path + path, json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def _payment(seen: Json) -> ProviderPayment:
    currency_code = seen["currency"].lower()
    amounts = {name: _from_acme(seen[name], currency_code) for name in ("amount", "held", "taken")}
    return ProviderPayment(
        reference=seen["id"],
        session_id=seen["merchant_reference"],
        state=_STATES[seen["status"]][0],
        currency_code=currency_code,
        amount_minor=amounts["amount"],
        held_minor=amounts["held"],
        captured_minor=amounts["taken"],
        observed_at=datetime.fromisoformat(seen["as_of"]),  # Acme's clock, not ours
        refunds=tuple(_refund(each, seen) for each in seen["refunds"]),  # always all of them
        data={"id": seen["id"], "checkout_url": seen["checkout_url"]},
    )


def _refund(seen: Json, payment: Json) -> ProviderRefund:
    return ProviderRefund(
        reference=seen["id"],
        amount_minor=_from_acme(seen["amount"], payment["currency"]),
        status=_REFUND_STATUSES[seen["status"]],
        refund_id=seen["merchant_reference"],
        payment_reference=payment["id"],
    )


def _to_acme(amount_minor: int, currency_code: str) -> str:
    """Acme writes amounts as text in major units: 1050 eur is "10.5"."""
    return f"{to_major(amount_minor, currency_code):f}"


def _from_acme(text: str, currency_code: str) -> int:
    amount = Decimal(text)
    return to_minor(amount, currency_code) if amount else 0
