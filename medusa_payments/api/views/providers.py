"""Which payment providers there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments import settings
from medusa_payments.api import fields, issues
from medusa_payments.api.queries import LIST, read_page, read_query, text_in
from medusa_payments.api.shapes import show
from medusa_payments.api.views.base import AdminView, StoreView
from medusa_payments.errors import NotAllowed
from medusa_payments.operations.enabled_providers import enabled_provider_ids
from medusa_payments.providers.registry import provider_ids

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class _Provider:
    id: str
    is_enabled: bool


class StoreProviders(StoreView):
    def get(self, request: Request) -> Response:
        query = read_query(request, ("region_id", *LIST))
        offered = _offered_in(_region(query))
        found = [_Provider(each, True) for each in enabled_provider_ids() if each in offered]
        return _page(found, query, allowed=fields.PROVIDER)


class AdminProviders(AdminView):
    permission = {"get": "view_paymentprovider"}

    def get(self, request: Request) -> Response:
        query = read_query(request, ("id", "is_enabled", *LIST))
        ids, flag = _wanted_ids(query), _wanted_flag(query)
        enabled = enabled_provider_ids()
        found = [_Provider(each, each in enabled) for each in provider_ids()]
        return _page(
            [
                provider
                for provider in found
                if (ids is None or provider.id in ids)
                and (flag is None or provider.is_enabled is flag)
            ],
            query,
        )


def _region(query: Mapping[str, Any]) -> str:
    region_id = text_in(query, "region_id")
    if region_id is None:
        raise issues.invalid(issues.required("region_id"))
    if not region_id:
        raise NotAllowed("You must provide the region_id to list payment providers")
    return region_id


def _offered_in(region_id: str) -> Collection[str]:
    if not settings.REGION_PROVIDER_RESOLVER:
        return provider_ids()
    return set(import_string(settings.REGION_PROVIDER_RESOLVER)(region_id) or ())


def _wanted_ids(query: Mapping[str, Any]) -> list[str] | None:
    wanted = query.get("id")
    if wanted is not None and not isinstance(wanted, (str, list)):
        raise issues.invalid(issues.wrong_type("id", "string, array", wanted))
    return [wanted] if isinstance(wanted, str) else wanted


def _wanted_flag(query: Mapping[str, Any]) -> bool | None:
    given = text_in(query, "is_enabled")
    if given is None:
        return None
    if given.lower() not in _FLAGS:
        raise issues.invalid(issues.wrong_type("is_enabled", "boolean", given))
    return _FLAGS[given.lower()]


def _page(
    found: Sequence[_Provider], query: Mapping[str, Any], *, allowed: Sequence[str] | None = None
) -> Response:
    """Without an order they come as the settings list them."""
    selection = fields.select(
        "payment_provider", fields.PROVIDER, text_in(query, "fields"), allowed=allowed
    )
    page = read_page(query, columns={name: name for name in fields.PROVIDER})
    name = page.order[0]
    if name != "pk":
        found = sorted(
            found,
            key=lambda provider: str(getattr(provider, name.removeprefix("-"))),
            reverse=name.startswith("-"),
        )
    shown = [
        show("payment_provider", provider, selection)
        for provider in found[page.offset : page.offset + page.limit]
    ]
    return Response({"payment_providers": shown, **page.echo(len(found))})
