"""Which origins' pages may ask: a list for each area of the API, none for the hooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from medusa_payments import settings

View = Callable[..., HttpResponseBase]

_LISTS = {"store": "STORE_CORS", "admin": "ADMIN_CORS", "auth": "AUTH_CORS"}
_ALWAYS = {"Access-Control-Allow-Credentials": "true"}
_ON_AN_ANSWER = {"Access-Control-Expose-Headers": "Idempotent-Replayed,Retry-After"}
_ON_A_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "Access-Control-Allow-Headers": (
        "authorization,content-type,idempotency-key,x-csrftoken,x-medusa-locale,"
        "x-publishable-api-key"
    ),
}


def shared_with_origins(view: View, *, area: str) -> View:
    """The view for pages of the area's origins too; as it is where the area has no list.

    A preflight carries no credentials, so it is answered before anybody asks for them.
    """
    if area not in _LISTS:
        return view

    @wraps(view)
    def serve(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        origins = _origins(_LISTS[area])
        if not origins:
            return view(request, *args, **kwargs)
        if _is_preflight(request):
            return _for_origin(request, origins, HttpResponse(status=204), _ON_A_PREFLIGHT)
        return _for_origin(request, origins, view(request, *args, **kwargs), _ON_AN_ANSWER)

    return serve


def _origins(name: str) -> tuple[str, ...]:
    """One that is set without a list is one origin, not its letters."""
    configured = getattr(settings, name)
    return (configured,) if isinstance(configured, str) and configured else tuple(configured)


def _is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _for_origin(
    request: HttpRequest,
    origins: tuple[str, ...],
    answer: HttpResponseBase,
    headers: dict[str, str],
) -> HttpResponseBase:
    """The answer differs from origin to origin, which caches are told even where it is refused."""
    patch_vary_headers(answer, ("Origin",))
    origin = request.headers.get("Origin", "")
    if origin in origins:
        for name, value in {"Access-Control-Allow-Origin": origin, **_ALWAYS, **headers}.items():
            answer[name] = value
    return answer
