"""Reading everything in one of Stripe's lists."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import stripe

from medusa_payments.providers.stripe.snapshots import UnreadableAnswer
from medusa_payments.providers.types import Json

PAGE = 100  # Stripe's largest


class TookTooLong(Exception):
    """The time for reading is over."""


def pages(first: Any, *, ends: float) -> Iterator[Json]:
    """Everything, page by page; none is asked for after ``ends`` by the monotonic clock.

    :raises TookTooLong: there is more.
    :raises UnreadableAnswer: it is no list.
    """
    page = first
    while True:
        if not isinstance(page, stripe.ListObject):
            raise UnreadableAnswer("not a list")
        yield from map(plain, page.data)
        if not page.has_more:
            return
        if time.monotonic() > ends:
            raise TookTooLong
        page = page.next_page()


def created_between(first: datetime | None, last: datetime | None) -> dict[str, int]:
    """Stripe's filter for what was created in a window, in whole seconds."""
    window = {}
    if first:
        window["gte"] = math.floor(first.timestamp())
    if last:
        window["lte"] = math.ceil(last.timestamp())
    return window


def plain(thing: Any) -> dict[str, Any]:
    if not isinstance(thing, stripe.StripeObject):
        raise UnreadableAnswer("not an object of Stripe")
    return thing.to_dict()
