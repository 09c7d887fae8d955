"""The SDK's client, set up so that every attempt is ours to see and to end."""

from __future__ import annotations

import logging
import os
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import Any

import requests
import stripe
from requests.adapters import HTTPAdapter

from medusa_payments.providers.stripe.options import StripeOptions

STRIPE_VERSION = "2026-08-26.dahlia"
_LONGEST_READ_OF_A_LOOKUP = 10.0  # seconds
_CONNECTIONS = 50  # kept open per process


class StripeClients:
    """Two clients, made at first use in each process: open connections must not cross a fork."""

    def __init__(self, options: StripeOptions) -> None:
        self._options = options
        self._lock = Lock()
        self._made: dict[str, stripe.StripeClient] = {}
        self._process = 0

    @property
    def writing(self) -> stripe.StripeClient:
        """One attempt, so that no answer is seen by the SDK alone."""
        return self._client("writing", read_timeout=self._options.read_timeout, retries=0)

    @property
    def reading(self) -> stripe.StripeClient:
        """Changes nothing, so the SDK may try once more."""
        timeout = min(self._options.read_timeout, _LONGEST_READ_OF_A_LOOKUP)
        return self._client("reading", read_timeout=timeout, retries=1)

    def _client(self, name: str, *, read_timeout: float, retries: int) -> stripe.StripeClient:
        with self._lock:
            if self._process != os.getpid():
                self._made, self._process = {}, os.getpid()
            if name not in self._made:
                self._made[name] = _made(self._options, read_timeout=read_timeout, retries=retries)
            return self._made[name]


def _made(options: StripeOptions, *, read_timeout: float, retries: int) -> stripe.StripeClient:
    _quiet_the_sdk()
    return stripe.StripeClient(
        options.api_key,
        stripe_version=STRIPE_VERSION,
        base_addresses={"api": options.api_base or stripe.DEFAULT_API_BASE},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(
            timeout=(options.connect_timeout, read_timeout), session=_session(options.account_id)
        ),
    )


def _session(account_id: str) -> requests.Session:
    """Follows no redirect: after one, "nothing was written" could no longer be shown."""
    session = requests.Session()
    session.hooks["response"].append(partial(_refuse_other_account, account_id))
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return session


class OtherAccount(Exception):
    """The answer is about another account of Stripe than the one that was asked."""


def _refuse_other_account(
    account_id: str, answer: requests.Response, **_: Any
) -> requests.Response:
    """Stripe names the account only where a request was for a connected one; ours never are."""
    told = answer.headers.get("Stripe-Account", "")
    if account_id and told not in ("", account_id):
        raise OtherAccount(told)
    return answer


def _quiet_the_sdk() -> None:
    """The SDK logs client secrets at DEBUG and customers' data at INFO; a shop may want that."""
    logger = logging.getLogger("stripe")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
