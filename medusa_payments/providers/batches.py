"""Many lookups at once: one page of a provider's list answers up to a hundred of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medusa_payments.providers.types import LookupRequest, LookupResult


@dataclass(frozen=True, kw_only=True)
class LookupBatch:
    """What became of these sessions? One request for each session.

    ``max_reads``: no more requests than this to the provider; sessions for which that was too
    little are left out of the answer. ``memory`` is the provider's own, and lives for one run of
    the sweep: what it listed for an earlier batch may answer a later one.
    """

    requests: tuple[LookupRequest, ...]
    max_reads: int
    memory: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Reading:
    """What one session's lookup showed, and when it was asked by the monotonic clock."""

    result: LookupResult
    asked_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True)
class BatchAnswer:
    """``readings`` by session id. ``reads``: requests to the provider that it took."""

    readings: Mapping[str, Reading]
    reads: int
