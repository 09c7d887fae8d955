"""What a provider that keeps account holders must hold to, beside ``ProviderContract``.

    class TestHoldersOfMyProvider(AccountHolderContract):
        @pytest.fixture
        def provider(self):
            return MyProvider("pp_my_default", {...})

Tests of methods that the provider does not have are skipped. The hooks are ``ProviderSteps``'.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from medusa_payments.ids import new_id
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    Failed,
    Indeterminate,
    KeptFound,
    KeptLookupResult,
    NotFound,
    Outcome,
)
from medusa_payments.testing.provider_steps import ProviderSteps, succeeded

__all__ = ["AccountHolderContract"]

_HOLDER_METHODS = ("create_account_holder", "update_account_holder", "delete_account_holder")
_METHODS = (*_HOLDER_METHODS, "save_payment_method")


class AccountHolderContract(ProviderSteps):
    """The tests. Override the fixture ``provider`` and the hooks."""

    def needs_method(self, provider: PaymentProvider, *methods: str) -> None:
        for method in methods:
            self.needs(provider.supports(method), method)

    # Holders

    def test_a_holder_is_made_once_for_its_key(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "create_account_holder")
        self.needs(provider.capabilities.repeats_with_key, "repeats_with_key")
        request = self.holder_request()

        first = succeeded(provider.create_account_holder(request))
        second = succeeded(provider.create_account_holder(request))

        assert first.data["id"]
        assert first.data["id"] == second.data["id"]

    def test_what_is_told_of_a_holder_can_be_stored(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "create_account_holder")

        answer = succeeded(provider.create_account_holder(self.holder_request()))

        assert json.loads(json.dumps(dict(answer.data))) == dict(answer.data)

    def test_a_holder_can_be_read(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "create_account_holder", "retrieve_account_holder")
        reference = self.holder(provider)

        kept = provider.retrieve_account_holder(reference)

        assert kept is not None
        assert kept["id"] == reference

    def test_a_holder_is_found_by_our_id(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "create_account_holder", "lookup_account_holder")
        self.holder(provider)
        request = self.holder_request()
        reference = succeeded(provider.create_account_holder(request)).data["id"]

        found = provider.lookup_account_holder(self.holder_lookup(request.account_holder_id))

        assert _references(found) == [reference]

    def test_a_holder_of_another_id_is_not_in_the_listing(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "create_account_holder", "lookup_account_holder")
        self.holder(provider)

        found = provider.lookup_account_holder(self.holder_lookup(new_id("acchld")))

        assert found == NotFound(listed=True)

    def test_an_update_is_seen_by_a_lookup(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "update_account_holder", "lookup_account_holder")
        reference = self.holder(provider)
        changed = {**self.customer, "email": "new@example.com"}

        def is_as_asked() -> bool:
            found = provider.lookup_account_holder(
                self.holder_lookup("acchld_1", reference=reference, customer=changed)
            )
            assert isinstance(found, KeptFound)
            return found.objects[0].is_as_asked

        before = is_as_asked()
        succeeded(provider.update_account_holder(self.holder_request(reference, customer=changed)))

        assert (before, is_as_asked()) == (False, True)

    def test_a_deleted_holder_is_known_to_be_gone(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "delete_account_holder", "lookup_account_holder")
        reference = self.holder(provider)

        succeeded(provider.delete_account_holder(self.holder_request(reference)))

        lookup = self.holder_lookup("acchld_1", reference=reference)
        assert provider.lookup_account_holder(lookup) == NotFound(listed=False)
        assert provider.retrieve_account_holder(reference) is None

    def test_deleting_what_is_gone_is_done(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "delete_account_holder")
        reference = self.holder(provider)

        for _ in range(2):
            succeeded(provider.delete_account_holder(self.holder_request(reference)))

    # No answer is no answer

    @pytest.mark.parametrize("method", _METHODS)
    def test_a_lost_answer_is_indeterminate(self, provider: PaymentProvider, method: str) -> None:
        ask = self._prepared(provider, method)
        self.lose_next_answer(provider, method)

        assert isinstance(ask(), Indeterminate)

    @pytest.mark.parametrize("method", _METHODS)
    def test_a_lost_request_is_indeterminate(self, provider: PaymentProvider, method: str) -> None:
        ask = self._prepared(provider, method)
        self.drop_next_request(provider, method)

        assert isinstance(ask(), Indeterminate)

    def test_a_holder_whose_answer_was_lost_is_found(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "create_account_holder", "lookup_account_holder")
        self.lose_next_answer(provider, "create_account_holder")
        request = self.holder_request()
        provider.create_account_holder(request)

        found = provider.lookup_account_holder(self.holder_lookup(request.account_holder_id))

        assert len(_references(found)) == 1

    # Payment methods

    def test_what_saving_began_is_found_by_our_call(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "save_payment_method", "lookup_payment_method")
        holder = self.holder(provider)
        provider.save_payment_method(self.method_request(holder))
        request = self.method_request(holder)
        saved = succeeded(provider.save_payment_method(request))

        found = provider.lookup_payment_method(self.method_lookup(request))

        assert _references(found) == [saved.data["id"]]

    def test_a_holder_without_methods_has_an_empty_list(self, provider: PaymentProvider) -> None:
        self.needs_method(provider, "list_payment_methods")

        assert provider.list_payment_methods(self.holder(provider)) == []

    def test_forgetting_what_the_holder_has_not_changes_nothing(
        self, provider: PaymentProvider
    ) -> None:
        self.needs_method(provider, "delete_payment_method")
        request = self.method_request(self.holder(provider), "pm_unknown_to_everybody")

        assert isinstance(provider.delete_payment_method(request), Failed)
        self.needs_method(provider, "lookup_payment_method")
        assert provider.lookup_payment_method(self.method_lookup(request)) == NotFound(listed=False)

    def _prepared(self, provider: PaymentProvider, method: str) -> Callable[[], Outcome]:
        """A call of this method that would succeed, ready to be made."""
        self.needs_method(provider, "create_account_holder", method)
        ask: Callable[[Any], Outcome] = getattr(provider, method)
        request: Any = self.holder_request()
        if method != "create_account_holder":
            request = self.holder_request(self.holder(provider))
        if method not in _HOLDER_METHODS:
            request = self.method_request(request.reference)
        return lambda: ask(request)


def _references(found: KeptLookupResult) -> list[str]:
    assert isinstance(found, KeptFound), found
    return [each.reference for each in found.objects]
