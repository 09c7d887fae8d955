"""The rows that commands name by their ids, soft-deleted ones too."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from medusa_payments.errors import InvalidAmount, InvalidData, NotFound
from medusa_payments.models import (
    ApiKey,
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentSession,
    Proposal,
    ProviderCall,
    RefundReason,
)
from medusa_payments.operations.database import database_alias

Row = TypeVar("Row", bound=Model)


def collection_named(name: str) -> PaymentCollection:
    rows = PaymentCollection.all_objects.using(database_alias())
    return _found(PaymentCollection, rows.filter(pk=name), name)


def session_named(name: str) -> PaymentSession:
    rows = PaymentSession.all_objects.using(database_alias())
    return _found(PaymentSession, rows.filter(pk=name), name)


def payment_named(name: str) -> Payment:
    rows = Payment.objects.using(database_alias())
    return _found(Payment, rows.filter(pk=name), name)


def api_key_named(name: str) -> ApiKey:
    rows = ApiKey.objects.using(database_alias())
    return _found(ApiKey, rows.filter(pk=name), name)


def call_named(name: str) -> ProviderCall:
    rows = ProviderCall.objects.using(database_alias())
    return _found(ProviderCall, rows.filter(pk=name), name)


def proposal_named(name: str) -> Proposal:
    rows = Proposal.objects.using(database_alias())
    return _found(Proposal, rows.filter(pk=name), name)


def discrepancy_named(name: str) -> Discrepancy:
    rows = Discrepancy.objects.using(database_alias())
    return _found(Discrepancy, rows.filter(pk=name), name)


def reason_named(name: str) -> RefundReason | None:
    """A refund reason by id or code; None where none was named."""
    if not name:
        return None
    rows = RefundReason.objects.using(database_alias())
    return _found(RefundReason, rows.filter(Q(pk=name) | Q(code=name)), name)


def _found(model: type[Row], rows: QuerySet[Any], name: str) -> Row:
    row: Row | None = rows.first()
    if row is None:
        raise NotFound(f"{model.__name__} id not found: {name}")
    return row


def amount_of(text: str | None) -> Decimal | None:
    """Major units as typed; None means what it means to the operation."""
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise InvalidAmount(f"Not an amount: {text}") from error


def data_of(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InvalidData(f"--data is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise InvalidData("--data must be a JSON object.")
    return data
