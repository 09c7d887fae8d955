"""Why money went back (CONTRACT 3.4)."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import RefundReason
from tests.api.shop import Api, rows

REASON = {"id", "label", "code", "description", "created_at", "updated_at", "deleted_at"}


@pytest.fixture
def reasons(api: Api) -> list[str]:
    """Ids of three reasons, oldest first."""
    return [
        create(api, label="Broken", code="broken", description="Arrived in PIECES"),
        create(api, label="Late", code="late"),
        create(api, label="Too large", code="size", description="100% too_large"),
    ]


def create(api: Api, **body: Any) -> str:
    return str(api.admin("POST", "refund-reasons", body).json()["refund_reason"]["id"])


def test_a_reason_has_exactly_the_default_fields(api: Api) -> None:
    body = {"label": "Broken", "code": "broken", "description": None}

    answer = api.admin("POST", "refund-reasons", body)

    shown = answer.json()["refund_reason"]
    assert answer.status_code == 200
    assert set(answer.json()) == {"refund_reason"}
    assert set(shown) == REASON
    assert (shown["label"], shown["code"], shown["description"]) == ("Broken", "broken", None)
    assert shown["deleted_at"] is None
    assert shown["created_at"].endswith("Z")


def test_metadata_is_shown_on_request(api: Api) -> None:
    answer = api.admin("POST", "refund-reasons", {"label": "a", "code": "b"}, fields="+metadata")

    assert answer.json()["refund_reason"]["metadata"] is None


def test_codes_are_not_unique(api: Api) -> None:
    assert create(api, label="a", code="same") != create(api, label="b", code="same")


def test_a_reason_is_retrieved_and_updated_in_part(api: Api) -> None:
    reason = create(api, label="Broken", code="broken", description="text")

    updated = api.admin("POST", f"refund-reasons/{reason}", {"label": "Damaged"})
    cleared = api.admin("POST", f"refund-reasons/{reason}", {"description": None})
    untouched = api.admin("POST", f"refund-reasons/{reason}", {})
    read = api.admin("GET", f"refund-reasons/{reason}")

    assert updated.json()["refund_reason"]["description"] == "text"
    assert set(updated.json()["refund_reason"]) == REASON
    assert cleared.json()["refund_reason"]["description"] is None
    assert untouched.status_code == read.status_code == 200
    assert read.json() == untouched.json()
    assert read.json()["refund_reason"]["label"] == "Damaged"


def test_a_reason_is_deleted_softly_and_may_be_deleted_again(api: Api) -> None:
    reason = create(api, label="Broken", code="broken")

    answers = [api.admin("DELETE", f"refund-reasons/{reason}") for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.json() == {"id": reason, "object": "refund_reason", "deleted": True}
    assert RefundReason.all_objects.get(pk=reason).deleted is not None
    assert api.admin("GET", f"refund-reasons/{reason}").status_code == 404
    assert api.admin("POST", f"refund-reasons/{reason}", {"label": "x"}).status_code == 404
    assert reason not in listed(api, with_deleted="true")


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("POST", {"label": "x"}), ("DELETE", None)]
)
def test_an_unknown_reason_is_not_found(api: Api, method: str, body: Any) -> None:
    answer = api.admin(method, "refund-reasons/refr_x", body)

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "not_found",
        "message": 'RefundReason with id "refr_x" not found',
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Field 'label' is required; Field 'code' is required"),
        (
            {"label": None, "code": "x"},
            "Expected type: 'string' for field 'label', got: 'null'",
        ),
        (
            {"label": "x", "code": "x", "description": 1},
            "Expected type: 'string' for field 'description', got: '1'",
        ),
        ({"label": "x", "code": "x", "metadata": {}}, "Unrecognized fields: 'metadata'"),
        (
            {"label": "x" * 256, "code": "x"},
            "Value for field 'label' too big, expected at most: '255'",
        ),
    ],
)
def test_a_wrong_reason_changes_nothing(api: Api, body: Any, message: str) -> None:
    before = rows()

    answer = api.admin("POST", "refund-reasons", body)

    assert answer.status_code == 400
    assert answer.json() == {"type": "invalid_data", "message": f"Invalid request: {message}"}
    assert rows() == before


def listed(api: Api, **query: Any) -> list[str]:
    answer = api.admin("GET", "refund-reasons", **query)
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["refund_reasons"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "BROK"}, [0]),
        ({"q": "pieces"}, [0]),
        ({"q": "siz"}, [2]),
        ({"q": "100%"}, [2]),
        ({"q": "o_l"}, [2]),
        ({"q": "nothing like it"}, []),
        ({"id": "{1}"}, [1]),
        ({"id[0]": "{1}", "id[1]": "{2}", "order": "-id"}, [2, 1]),
        ({"deleted_at[$gt]": "2020-01-01", "with_deleted": "true"}, []),
    ],
)
def test_reasons_are_searched_and_filtered(
    api: Api, reasons: list[str], query: dict[str, str], found: list[int]
) -> None:
    filled = {key: value.format(*reasons) for key, value in query.items()}

    shown = [each for each in listed(api, **filled) if each in reasons]

    assert shown == [reasons[index] for index in found]


def test_a_page_of_reasons_is_fifteen_unless_asked_otherwise(api: Api) -> None:
    for number in range(16):
        create(api, label=str(number), code="many")

    answer = api.admin("GET", "refund-reasons")

    shown = answer.json()
    assert set(shown) == {"refund_reasons", "count", "offset", "limit"}
    assert len(shown["refund_reasons"]) == shown["limit"] == 15
    assert shown["count"] == RefundReason.objects.count()
    assert set(shown["refund_reasons"][0]) == REASON
