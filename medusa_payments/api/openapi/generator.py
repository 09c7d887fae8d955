"""The document: the payments API alone, whatever else the shop serves.

Paths are relative to where ``medusa_payments.urls`` is included.
"""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.settings import patched_settings

import medusa_payments
from medusa_payments.api.openapi.words import DESCRIPTION, TAGS

_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "medusa_payments",
    "VERSION": medusa_payments.__version__,
    "DESCRIPTION": DESCRIPTION,
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    # The view that serves the document puts its own prefix here.
    "SERVERS": [{"url": "/api"}],
    "TAGS": TAGS,
    "PREPROCESSING_HOOKS": [],
    "POSTPROCESSING_HOOKS": [],
}


class OwnRoutes(EndpointEnumerator):
    def get_api_endpoints(self, patterns: Any = None, prefix: str = "") -> list[Any]:
        """Path, expression, method and view of each."""
        from medusa_payments import urls

        return [
            (_path(route), str(pattern.pattern), method, pattern.callback)
            for route, pattern in urls.PATTERNS.items()
            for method in self._methods(pattern.callback)
        ]

    def _methods(self, serve: Any) -> list[str]:
        return sorted(self.get_allowed_methods(serve))  # type: ignore[no-untyped-call]


def _path(route: str) -> str:
    return "/" + re.sub(r"<(\w+)>", r"{\1}", route)


class PaymentsGenerator(SchemaGenerator):
    endpoint_inspector_cls = OwnRoutes

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        """For everybody to read, so what somebody may do makes no difference."""
        with patched_settings(_SETTINGS):
            return super().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
