"""A POST with an Idempotency-Key: run once, and the same answer sent again.

An answer is kept when it is certain: the act was done, or the provider declined it. After a
refusal before anything was done the key is free again. What is not certain is not kept: the same
request runs again and finds, by the ids and keys of its records, what became of the first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.db import DatabaseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medusa_payments.api.kept_answers import kept, sent_again
from medusa_payments.api.request_keys import request_digest, request_key
from medusa_payments.errors import PaymentProviderUnavailable
from medusa_payments.models import KeyedRequest
from medusa_payments.models.base import Record
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.keyed_requests import (
    give_back,
    leave_open,
    reserve,
    store_answer,
)

logger = logging.getLogger("medusa_payments")

Post = Callable[..., Response]

_CERTAIN = (200, 422)
_REFUSED = (400, 401, 403, 404)


class KeyedPosts(APIView):
    """Every ``post`` of a view below it honours the header."""

    keyed_request: KeyedRequest | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if post := cls.__dict__.get("post"):
            cls.post = _run_once(post)  # type: ignore[attr-defined]

    def check_asked_again(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises if whoever asks may not, or not any more, see what was answered.

        Credentials and permissions were checked before; this is for what only the act asks about.
        """

    def id_for(self, model: type[Record]) -> str:
        """The id for a record that this request makes; empty where no key asks for one."""
        return self.keyed_request.id_for(model) if self.keyed_request else ""


def _run_once(post: Post) -> Post:
    @wraps(post)
    def run(view: KeyedPosts, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request_key(request)
        if not key:
            return post(view, request, *args, **kwargs)
        keyed = reserve(
            key=key,
            request_digest=request_digest(request),
            path=request.path,
            actor=cast("Actor", request.auth),
        )
        if keyed.status is not None:
            view.check_asked_again(request, *args, **kwargs)
            headers = {"Idempotent-Replayed": "true"}
            return Response(sent_again(keyed.body), status=keyed.status, headers=headers)
        view.keyed_request = keyed
        return _answered(view, keyed, lambda: post(view, request, *args, **kwargs))

    return run


def _answered(view: KeyedPosts, keyed: KeyedRequest, post: Callable[[], Response]) -> Response:
    is_unavailable = False
    try:
        response = post()
    except Exception as error:  # noqa: BLE001 - becomes the answer that is kept or not
        is_unavailable = isinstance(error, PaymentProviderUnavailable)
        response = view.handle_exception(error)
    did_nothing = is_unavailable or response.status_code in _REFUSED
    try:
        _finish(keyed, response, did_nothing=did_nothing)
    except DatabaseError:
        # The act is done and its caller is told; the same key finds it again after the lease.
        logger.exception("The answer to %s could not be kept", keyed.pk)
    return response


def _finish(keyed: KeyedRequest, response: Response, *, did_nothing: bool) -> None:
    if response.status_code in _CERTAIN:
        store_answer(keyed, status=response.status_code, body=kept(response.data))
    elif did_nothing:
        give_back(keyed)
    else:
        leave_open(keyed)
