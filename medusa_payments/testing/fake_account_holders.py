"""The part of the fake provider that keeps account holders and their payment methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from medusa_payments.errors import InvalidData
from medusa_payments.ids import new_id
from medusa_payments.providers.types import (
    AccountHolderLookup,
    AccountHolderRequest,
    Failed,
    FailureKind,
    Json,
    KeptFound,
    KeptLookupResult,
    KeptObject,
    NotFound,
    Outcome,
    PaymentMethodLookup,
    PaymentMethodRequest,
    Succeeded,
)
from medusa_payments.testing.scripted import ScriptedProvider


@dataclass(kw_only=True)
class FakeHolder:
    account_holder_id: str
    customer: Json
    reference: str = field(default_factory=lambda: new_id("fakecus"))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def kept(self, wanted: Json) -> KeptObject:
        return KeptObject(
            reference=self.reference,
            is_as_asked=all(self.customer.get(key) == wanted[key] for key in wanted),
            data=self.data,
        )

    @property
    def data(self) -> dict[str, Any]:
        return {"id": self.reference, "email": self.customer.get("email")}


@dataclass(kw_only=True)
class FakeMethod:
    """``holder`` is empty once it was forgotten."""

    holder: str
    call_id: str = ""
    reference: str = field(default_factory=lambda: new_id("fakepm"))

    @property
    def data(self) -> dict[str, Any]:
        return {"id": self.reference, "client_secret": f"{self.reference}_secret_of_buyer"}


class FakeAccountHolders(ScriptedProvider):
    def __init__(self, provider_id: str, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(provider_id, options)
        self.holders: dict[str, FakeHolder] = {}
        self.methods: dict[str, FakeMethod] = {}

    def create_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return self._answer("create_account_holder", request, self._create_holder)

    def update_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return self._answer("update_account_holder", request, self._update_holder)

    def delete_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return self._answer("delete_account_holder", request, self._delete_holder)

    def retrieve_account_holder(self, reference: str) -> Json | None:
        holder = self.holders.get(reference)
        return holder.data if holder else None

    def lookup_account_holder(self, request: AccountHolderLookup) -> KeptLookupResult:
        result: KeptLookupResult = self._look_up(
            "lookup_account_holder", request, self._find_holder
        )
        return result

    def list_payment_methods(self, account_holder: str) -> list[Json]:
        return [
            {"id": each.reference}
            for each in self.methods.values()
            if each.holder == account_holder
        ]

    def check_payment_method_data(self, data: Mapping[str, Any]) -> None:
        if "forbidden" in data:
            raise InvalidData("A payment method cannot be saved with forbidden.")

    def save_payment_method(self, request: PaymentMethodRequest) -> Outcome:
        return self._answer("save_payment_method", request, self._save_method)

    def delete_payment_method(self, request: PaymentMethodRequest) -> Outcome:
        return self._answer("delete_payment_method", request, self._delete_method)

    def lookup_payment_method(self, request: PaymentMethodLookup) -> KeptLookupResult:
        result: KeptLookupResult = self._look_up(
            "lookup_payment_method", request, self._find_method
        )
        return result

    def _create_holder(self, request: AccountHolderRequest) -> Outcome:
        holder = FakeHolder(
            account_holder_id=request.account_holder_id, customer=dict(request.customer)
        )
        self.holders[holder.reference] = holder
        return Succeeded(data=holder.data)

    def _update_holder(self, request: AccountHolderRequest) -> Outcome:
        if request.reference not in self.holders:
            return Failed(kind=FailureKind.REFUSED, code="missing")
        holder = self.holders[request.reference]
        holder.customer = {**holder.customer, **request.customer}
        return Succeeded(data=holder.data)

    def _delete_holder(self, request: AccountHolderRequest) -> Outcome:
        self.holders.pop(request.reference, None)
        return Succeeded()

    def _find_holder(self, request: AccountHolderLookup) -> KeptLookupResult:
        if request.reference:
            found = self.holders.get(request.reference)
            wanted = request.customer
            return KeptFound(objects=(found.kept(wanted),)) if found else NotFound(listed=False)
        ours = [
            each.kept({})
            for each in self.holders.values()
            if each.account_holder_id == request.account_holder_id
        ]
        return KeptFound(objects=tuple(ours)) if ours else NotFound(listed=True)

    def _save_method(self, request: PaymentMethodRequest) -> Outcome:
        method = FakeMethod(holder=request.account_holder, call_id=request.call_id)
        self.methods[method.reference] = method
        return Succeeded(data=method.data)

    def _delete_method(self, request: PaymentMethodRequest) -> Outcome:
        method = self.methods.get(request.reference)
        if method is None or method.holder != request.account_holder:
            return Failed(kind=FailureKind.REFUSED, code="not_attached")
        method.holder = ""
        return Succeeded()

    def _find_method(self, request: PaymentMethodLookup) -> KeptLookupResult:
        found = [
            KeptObject(reference=each.reference, data=each.data)
            for each in self.methods.values()
            if each.holder == request.account_holder
            and request.reference in ("", each.reference)
            and (request.reference or each.call_id == request.call_id)
        ]
        if found:
            return KeptFound(objects=tuple(found))
        return NotFound(listed=not request.reference)
