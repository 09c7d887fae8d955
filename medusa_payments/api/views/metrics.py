"""Metrics for a scraper. No route of ours: a shop adds it where it wants to be scraped."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from medusa_payments.api.authentication import UNAUTHORIZED
from medusa_payments.api.permissions import lacking
from medusa_payments.api.views.health import FIGURES_PERMISSION, MonitoringView

Exposition = Callable[[str], tuple[bytes, str]]


class Metrics(MonitoringView):
    """``Metrics.as_view(exposition=...)``: makes the page for what the scraper accepts, such as
    ``medusa_payments.integrations.prometheus.exposition``."""

    exposition: Exposition | None = None

    def get(self, request: Request) -> HttpResponse:
        """
        :raises AuthenticationFailed: nobody has shown who asks.
        :raises PermissionDenied: the user may not see the figures.
        """
        if request.auth is None:
            raise AuthenticationFailed(UNAUTHORIZED)
        if not self.may_see_figures(request):
            raise lacking(f"medusa_payments.{FIGURES_PERMISSION}")
        assert self.exposition is not None  # noqa: S101 - a mistake in the shop's urls
        page, content_type = self.exposition(request.headers.get("Accept", ""))
        return HttpResponse(page, content_type=content_type)
