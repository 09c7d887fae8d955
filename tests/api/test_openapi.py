"""The OpenAPI document: made from the code, valid, served to everybody, and of this API alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import include, path
from openapi_spec_validator import OpenAPIV31SpecValidator

import medusa_payments
from medusa_payments import urls
from medusa_payments.api.openapi.described import description_of
from tests.api.documented import document
from tests.api.routes import Route, routes
from tests.api.shop import Api, basic
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

ROOT = Path(__file__).resolve().parents[2]

urlpatterns = [path("shop/pay/", include("medusa_payments.urls"))]


def operation(path: str, method: str) -> Any:
    return document()["paths"][path][method]


def parameters(path: str, method: str) -> dict[str, Any]:
    return {each["name"]: each for each in operation(path, method)["parameters"]}


def test_what_is_shipped_is_what_the_code_says(tmp_path: Path) -> None:
    """Else make it anew, as docs/http-api.md says."""
    file = tmp_path / "openapi.json"
    call_command("spectacular", format="openapi-json", file=file, fail_on_warn=True, validate=True)

    assert json.loads(file.read_text(encoding="utf-8")) == document()


def test_the_docs_have_the_shipped_one() -> None:
    assert json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")) == document()


def test_it_is_valid_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(document()).validate()

    assert document()["openapi"] == "3.1.0"
    assert document()["info"]["version"] == medusa_payments.__version__


def test_it_holds_every_route_and_nothing_else_of_the_project() -> None:
    described = {(found, method) for found, item in document()["paths"].items() for method in item}

    by_pattern = {id(pattern): route for route, pattern in urls.PATTERNS.items()}
    served = {
        ("/" + by_pattern[id(each.pattern)].replace("<", "{").replace(">", "}"), each.method)
        for each in routes()
    }
    assert described == served


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_operation_has_a_name_of_its_own(route: Route) -> None:
    name = description_of(route.view, route.method).name
    names = [each["operationId"] for item in document()["paths"].values() for each in item.values()]

    assert names.count(name) == 1
    assert name.startswith(("store_", "admin_", "auth_", "hooks_", "health_", "document_"))


# What it is made from


def test_bodies_are_as_strict_as_they_are_read() -> None:
    body = document()["components"]["schemas"]["AdminRefundPaymentBody"]

    assert body == {
        "type": "object",
        "properties": {
            "amount": {"type": "number", "exclusiveMinimum": 0},
            "refund_reason_id": {"type": "string", "maxLength": 255},
            "note": {"type": "string"},
        },
        "additionalProperties": False,
    }


def test_columns_have_the_types_of_the_models() -> None:
    columns = document()["components"]["schemas"]["PaymentSession"]["properties"]

    assert columns["amount"] == {"type": "number"}
    assert columns["authorized_at"] == {"type": ["string", "null"], "format": "date-time"}
    assert columns["context"] == {"type": ["object", "null"]}
    assert "pending_authorization" in columns["status"]["enum"]
    assert {"$ref": "#/components/schemas/Payment"} in columns["payment"]["oneOf"]


def test_filters_tell_their_operators() -> None:
    schemas = document()["components"]["schemas"]
    found = {
        name: list(schemas[name]["anyOf"][-1]["properties"])
        for name in ("TextFilter", "TimeFilter", "FlagFilter")
    }

    assert found["FlagFilter"] == ["$eq", "$in", "$ne", "$nin"]
    assert found["TimeFilter"] == [*found["FlagFilter"], "$gt", "$gte", "$lt", "$lte"]
    assert found["TextFilter"] == [*found["TimeFilter"], "$like", "$ilike", "$re", "$contains"]


def test_lists_tell_their_query() -> None:
    query = parameters("/admin/refund-reasons", "get")

    assert query["created_at"]["style"] == "deepObject"
    assert query["limit"]["schema"]["default"] == 15
    assert {"label", "-label"} < set(query["order"]["schema"]["enum"])
    assert set(query) == {
        *("q", "id", "created_at", "updated_at", "deleted_at"),
        *("fields", "limit", "offset", "order", "with_deleted"),
    }


def test_posts_of_the_store_and_the_admin_take_a_key() -> None:
    keyed = {
        path
        for path, item in document()["paths"].items()
        for each in item.values()
        if "Idempotency-Key" in {found["name"] for found in each.get("parameters", [])}
    }

    posts = {path for path, item in document()["paths"].items() if "post" in item}
    assert keyed == {path for path in posts if path.startswith(("/store/", "/admin/"))}


def test_an_act_tells_how_it_may_be_answered() -> None:
    answers = operation("/admin/payments/{payment_id}/capture", "post")["responses"]

    assert set(answers) == {"200", "202", "400", "401", "403", "404", "409", "500", "503"}
    assert "Retry-After" in answers["503"]["headers"]


@pytest.mark.parametrize("path", document()["paths"])
def test_a_method_that_is_not_described_is_not_found(api: Api, path: str) -> None:
    """As the document says of the whole API; there is no 405, as in Medusa."""
    described = {"head", *document()["paths"][path]}
    url = "/api" + path.replace("{", "").replace("}", "")

    keys = {"x-publishable-api-key": PUBLISHABLE_KEY, "Authorization": basic(ADMIN_API_KEY)}
    for method in {"get", "post", "put", "patch", "delete", "options", "trace"} - described:
        answer = api.ask(method.upper(), url, headers=keys)
        assert (answer.status_code, answer.json()["type"]) == (404, "not_found")


def test_who_may_ask_is_told() -> None:
    admin = [{"secretKey": []}, {"staffToken": []}, {"staffSession": []}]

    assert operation("/admin/payments", "get")["security"] == admin
    assert operation("/store/payment-providers", "get")["security"] == [{"publishableKey": []}]
    assert operation("/hooks/payment/{provider_id}", "post")["security"] == []


# Serving it

_WITHOUT_SPECTACULAR = """
import sys
sys.modules["drf_spectacular"] = None
import django
from django.conf import settings
settings.configure(
    ROOT_URLCONF="medusa_payments.urls",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "medusa_payments"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ALLOWED_HOSTS=["testserver"],
    SECRET_KEY="of-the-tests",
)
django.setup()
from django.test import Client
print(Client().get("/openapi.json").json()["openapi"])
"""


def test_it_is_served_where_drf_spectacular_is_not_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_SPECTACULAR],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("3.1.0\n", "")


def test_it_is_served_to_everybody_and_may_be_kept(api: Api) -> None:
    answer = api.ask("GET", "/api/openapi.json")

    assert answer.json() == document()
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "public, max-age=3600"


@override_settings(ROOT_URLCONF="tests.api.test_openapi")
def test_it_names_the_prefix_under_which_it_is_served(api: Api) -> None:
    answer = api.ask("GET", "/shop/pay/openapi.json/")

    assert answer.json() == document() | {"servers": [{"url": "/shop/pay"}]}


def test_its_page_takes_nothing_from_elsewhere(client: Any) -> None:
    page = client.get("/api/docs/").content.decode()

    assert "/api/openapi.json" in page
    assert "://" not in page.replace("http://www.w3.org", "")
