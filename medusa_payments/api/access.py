"""Whose collection it is: only the shop can tell."""

from __future__ import annotations

from django.utils.module_loading import import_string
from rest_framework.request import Request

from medusa_payments import settings
from medusa_payments.models import PaymentCollection


def may_access(request: Request, collection: PaymentCollection) -> bool:
    """Whether the buyer who asks may pay the collection and see how it stands.

    Without an ACCESS_RESOLVER everybody may who knows its id, as in Medusa. Where the answer is no,
    a route answers as for an id that does not exist.
    """
    if not settings.ACCESS_RESOLVER:
        return True
    return bool(import_string(settings.ACCESS_RESOLVER)(request._request, collection))
