"""Answers held against the OpenAPI document, in which no answer may hold more than it says."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from openapi_schema_validator import oas31_format_checker

from medusa_payments import urls

_PREFIX = "/api/"


@cache
def document() -> Any:
    text = files("medusa_payments.api.openapi").joinpath("openapi.json").read_text()
    return json.loads(text)


def check(method: str, path: str, answer: Any) -> None:
    """Fails if the document does not say that this may be answered."""
    described = _described(method, path)
    if described is None:
        return
    said = described["responses"].get(str(answer.status_code))
    assert said, f"{method} {path}: {answer.status_code} is not documented: {answer.content!r}"
    media_type = answer["Content-Type"].partition(";")[0]
    assert media_type in said["content"], f"{method} {path} answers {media_type}"
    value = answer.json() if media_type == "application/json" else answer.content.decode()
    found = [error.message for error in _validator(said, media_type).iter_errors(value)]
    assert not found, f"{method} {path} {answer.status_code}: {found}"


def _described(method: str, path: str) -> Any:
    rest = unquote(path.partition("?")[0]).removeprefix(_PREFIX)
    for route, pattern in urls.PATTERNS.items():
        if pattern.resolve(rest):
            item = document()["paths"]["/" + route.replace("<", "{").replace(">", "}")]
            return item.get("get" if method == "HEAD" else method.lower())
    return None


def _validator(said: Any, media_type: str) -> Draft202012Validator:
    schema = json.dumps(said["content"][media_type]["schema"])
    return _validator_of(schema)


@cache
def _validator_of(schema: str) -> Draft202012Validator:
    whole = _closed(json.loads(schema)) | {"components": _closed(document()["components"])}
    return Draft202012Validator(whole, format_checker=oas31_format_checker)


def _closed(schema: Any) -> Any:
    """The schema, in which an object has the properties that are named and no more."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _closed(each) for name, each in schema.items()}
    if "properties" in found and isinstance(found.get("type"), (str, list)):
        found.setdefault("additionalProperties", False)
    return found
