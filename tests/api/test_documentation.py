"""The page docs/http-api.md names every route, and the permission that it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from medusa_payments.api.views.base import AdminView
from tests.api.routes import Route, routes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "http-api.md"


def lines_about(route: Route) -> list[str]:
    """A line of the tables names a list and one of it together: GET admin/payments, /:id."""
    path = route.path(**dict.fromkeys(route.id_names, "ID")).removeprefix("/api/")
    path = path.replace("hooks/payment/ID", "hooks/payment/:provider")
    path = path.replace("ID", ":id")
    wanted = f"{route.method.upper()} {path}`"
    together = f"{route.method.upper()} {path.removesuffix('/:id')}`, `/:id`"
    if route.area not in ("store", "admin"):
        wanted = path
    lines = PAGE.read_text().splitlines()
    return [line for line in lines if wanted in line or together in line]


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_route_is_documented(route: Route) -> None:
    lines = lines_about(route)

    assert lines
    view = route.view
    if issubclass(view, AdminView):
        assert any(f"`{view.permission[route.method]}`" in line for line in lines)
