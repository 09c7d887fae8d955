"""Which payment providers there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q
from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments import settings
from medusa_payments.api import fields, issues
from medusa_payments.api.queries import (
    COMBINED,
    LIST,
    flag_in,
    read_filters,
    read_page,
    read_query,
    text,
    text_in,
    truth,
)
from medusa_payments.api.shapes import show
from medusa_payments.api.views.base import AdminView, StoreView
from medusa_payments.errors import NotAllowed
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.enabled_providers import enabled_provider_ids
from medusa_payments.providers.registry import provider_ids

FILTERS = {"id": text("id"), "is_enabled": truth("is_enabled")}


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
        query = read_query(request, (*FILTERS, *COMBINED, *LIST))
        wanted = read_filters(query, FILTERS)
        enabled = enabled_provider_ids()
        found = [_Provider(each, each in enabled) for each in provider_ids()]
        return _page([each for each in found if _fits(each, wanted)], query)


def _fits(provider: _Provider, wanted: Q) -> bool:
    """The database decides, so that an operator means what it means of any other record."""
    return not wanted or wanted.check(asdict(provider), using=database_alias())


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


def _page(
    found: Sequence[_Provider], query: Mapping[str, Any], *, allowed: Sequence[str] | None = None
) -> Response:
    """Without an order they come as the settings list them."""
    selection = fields.select(
        "payment_provider", fields.PROVIDER, text_in(query, "fields"), allowed=allowed
    )
    flag_in(query, "with_deleted")  # providers are switched off, never deleted
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
