"""How payments stand, for monitoring."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.utils.cache import patch_cache_control
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api.authentication import SecretKeyAuthentication
from medusa_payments.api.permissions import is_permitted
from medusa_payments.api.queries import read_query
from medusa_payments.api.staff import StaffSessionAuthentication, StaffTokenAuthentication
from medusa_payments.api.views.base import ApiView
from medusa_payments.reconciliation.health import HealthStatus, current_health

logger = logging.getLogger("medusa_payments")

FIGURES_PERMISSION = "view_discrepancy"


class MonitoringView(ApiView):
    """Open to everybody; who shows admin credentials sees more.

    The status alone tells nothing of the shop's money. Wrong credentials are 401, so that a
    monitor whose key was revoked does not go on with less.
    """

    authentication_classes = (
        SecretKeyAuthentication,
        StaffTokenAuthentication,
        StaffSessionAuthentication,
    )
    permission_classes = (AllowAny,)

    @staticmethod
    def may_see_figures(request: Request) -> bool:
        needed = f"medusa_payments.{FIGURES_PERMISSION}"
        return request.auth is not None and is_permitted(request, needed)


class Health(MonitoringView):
    def get(self, request: Request) -> Response:
        """503 only where somebody must look now; this says nothing about one web process."""
        read_query(request, ())
        with_figures = self.may_see_figures(request)
        try:
            health = current_health()
        except DatabaseError:
            logger.exception("The health of payments could not be found out")
            return _answer({"status": HealthStatus.FAILING.value})
        shown = health.as_dict()
        return _answer(shown if with_figures else {"status": shown["status"]})


def _answer(shown: dict[str, object]) -> Response:
    status = 503 if shown["status"] == HealthStatus.FAILING else 200
    answer = Response(shown, status=status)
    patch_cache_control(answer, no_store=True)
    return answer
