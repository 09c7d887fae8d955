"""Who is buying: the shop knows, and says so through CUSTOMER_RESOLVER."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from rest_framework.request import Request

from medusa_payments import settings


def customer_of(request: Request) -> dict[str, Any] | None:
    """The customer who is logged in at the shop. None: nobody is, or the shop does not tell."""
    if not settings.CUSTOMER_RESOLVER:
        return None
    customer: dict[str, Any] | None = import_string(settings.CUSTOMER_RESOLVER)(request._request)
    return customer
