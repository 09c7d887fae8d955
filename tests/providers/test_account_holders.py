"""The contract of account holders, for the providers that need no outside world."""

from __future__ import annotations

import pytest

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.system import SystemProvider
from medusa_payments.providers.types import Indeterminate
from medusa_payments.testing.account_holder_contract import AccountHolderContract
from medusa_payments.testing.fake_provider import FakeProvider


class TestFakeProvider(AccountHolderContract):
    @pytest.fixture(autouse=True)
    def provider(self) -> FakeProvider:
        self.fake = FakeProvider()
        return self.fake

    def lose_next_answer(self, provider: PaymentProvider, method: str) -> None:
        self.fake.script(method, Indeterminate(), executes=True)

    def drop_next_request(self, provider: PaymentProvider, method: str) -> None:
        self.fake.script(method, Indeterminate())


class TestSystemProvider(AccountHolderContract):
    @pytest.fixture
    def provider(self) -> SystemProvider:
        return SystemProvider("pp_system_default", {})
