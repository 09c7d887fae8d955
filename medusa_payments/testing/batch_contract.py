"""Looking many sessions up at once tells the same as looking each of them up.

Part of ``ProviderContract``, which a provider's test class inherits.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from medusa_payments.ids import new_id
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.batches import LookupBatch
from medusa_payments.providers.types import Found, LookupRequest, LookupResult, NotFound
from medusa_payments.testing.provider_steps import ProviderSteps

_ENOUGH = 100  # reads


class BatchContract(ProviderSteps):
    def test_a_batch_tells_what_single_lookups_tell(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payments = [self.initiated(provider), self.held(provider), self.captured(provider)]
        requests = [
            *(self.lookup_request(each, with_refunds=True) for each in payments),
            *(self._asked_just_now(each.session_id) for each in payments[:1]),
            self._asked_just_now(new_id("payses")),
        ]
        for request in requests:
            batch = LookupBatch(requests=(request,), max_reads=_ENOUGH)
            answer = provider.lookup_many(batch)

            told = answer.readings[request.session_id].result
            assert _facts(told) == _facts(provider.lookup(request))

    def test_one_batch_holds_many_sessions(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        made = [self.initiated(provider).session_id for _ in range(4)]
        never = new_id("payses")
        requests = tuple(self._asked_just_now(each) for each in (*made, never))

        answer = provider.lookup_many(LookupBatch(requests=requests, max_reads=_ENOUGH))

        for session_id in made:
            result = answer.readings[session_id].result
            assert isinstance(result, Found)
            assert result.payment.session_id == session_id
        assert answer.readings[never].result == NotFound(listed=True)
        assert 0 < answer.reads <= len(requests) + 1

    def test_a_batch_stays_within_its_reads(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        requests = tuple(self.lookup_request(self.initiated(provider)) for _ in range(2))

        answer = provider.lookup_many(LookupBatch(requests=requests, max_reads=1))

        assert answer.reads == 1
        assert len(answer.readings) == 1

    def _asked_just_now(self, session_id: str) -> LookupRequest:
        """As the sweep asks for an initiate whose answer was lost, after the horizon."""
        now = datetime.now(UTC)
        return replace(
            self.window(session_id),
            with_refunds=True,
            asked_from=now - timedelta(seconds=30),
            asked_to=now,
        )


def _facts(result: LookupResult) -> LookupResult:
    """Without the time, which differs from one read to the next."""
    if not isinstance(result, Found):
        return result
    never = datetime(1970, 1, 1, tzinfo=UTC)
    return replace(result, payment=replace(result.payment, observed_at=never))
