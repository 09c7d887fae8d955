"""Swagger UI in a real browser. `UPDATE_SCREENSHOTS=1` renews the picture in `docs/screenshots`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import PUBLISHABLE_KEY, LiveApi
from tests.example_project.test_checkout import screenshot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def api_docs(page: Any, live_api: LiveApi) -> Any:
    page.set_default_timeout(20_000)
    page.set_viewport_size({"width": 1000, "height": 760})
    page.goto(live_api.url)
    page.get_by_role("link", name="API").click()
    page.get_by_role("heading", name="medusa_payments").wait_for()
    return page


def test_a_reader_tries_a_route_with_a_key(api_docs: Any) -> None:
    api_docs.locator("button.authorize").first.click()
    key = api_docs.locator(".auth-container", has_text="x-publishable-api-key")
    key.locator("input").fill(PUBLISHABLE_KEY)
    key.locator("button.authorize").click()
    api_docs.locator("button.close-modal").click()
    route = api_docs.locator("#operations-store-store_list_payment_providers")
    route.locator(".opblock-summary").click()
    route.locator("button.try-out__btn").click()
    route.get_by_placeholder("region_id").fill("eu")
    route.locator("button.execute").click()

    route.locator(".live-responses-table", has_text="pp_system_default").wait_for()


def test_nothing_comes_from_elsewhere(page: Any, live_api: LiveApi) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{live_api.url}/api/docs/")
    page.locator("#operations-admin-admin_capture_payment").wait_for()

    elsewhere = [url for url in asked if not url.startswith((live_api.url, "data:", "blob:"))]
    assert elsewhere == []


def test_the_routes_are_listed_by_area(api_docs: Any) -> None:
    api_docs.locator("#operations-admin-admin_capture_payment").wait_for()
    screenshot(api_docs, "api-docs")

    areas = [each.get_attribute("data-tag") for each in api_docs.locator(".opblock-tag").all()]
    assert areas == ["store", "admin", "auth", "hooks", "health", "document"]
