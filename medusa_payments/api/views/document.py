"""The OpenAPI document, as it is shipped."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from django.http import HttpResponse
from django.utils.cache import patch_cache_control
from rest_framework.request import Request

from medusa_payments.api.queries import read_query
from medusa_payments.api.views.base import ApiView

_ROUTE = "openapi.json"
_MAX_AGE = 3600


class OpenApiDocument(ApiView):
    def get(self, request: Request) -> HttpResponse:
        """The same for everybody: it holds nothing of the shop but where the API is."""
        read_query(request, ())
        prefix = request.path.rstrip("/").removesuffix(_ROUTE).rstrip("/")
        answer = HttpResponse(_document(prefix), content_type="application/json")
        patch_cache_control(answer, public=True, max_age=_MAX_AGE)
        return answer


@lru_cache(maxsize=8)
def _document(prefix: str) -> bytes:
    text = files("medusa_payments.api.openapi").joinpath(_ROUTE).read_text(encoding="utf-8")
    document = json.loads(text)
    document["servers"] = [{"url": prefix or "/"}]
    return json.dumps(document, separators=(",", ":")).encode()
