"""Query strings as trees: nested as the SDK writes them, and strict.

Keys nest as ``id[0]=a``, ``id[]=a``, ``created_at[$gte]=...`` and ``$or[0][id]=...``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from rest_framework.request import Request

from medusa_payments.api import issues
from medusa_payments.api.parsers import storable
from medusa_payments.errors import InvalidData

ONE = ("fields",)
LIST = ("fields", "limit", "offset", "order", "with_deleted")

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INDEX = re.compile(r"[0-9]{1,6}")
_MAX_DEPTH = 12
_FLAGS = {"true": True, "false": False}


def read_query(request: Request, names: Collection[str]) -> dict[str, Any]:
    """The query's parameters: strings, lists of them and mappings.

    :raises InvalidData: one that is not in ``names``.
    """
    tree: dict[str, Any] = {}
    for key, values in request.query_params.lists():
        if not all(map(storable, (key, *values))):
            raise InvalidData("The query holds text that cannot be looked for.")
        _put(tree, key, values)
    found = {name: _with_lists(value) for name, value in tree.items()}
    if unknown := [name for name in found if name not in names]:
        raise issues.invalid(issues.unrecognized(unknown))
    return found


def _put(tree: dict[str, Any], key: str, values: list[str]) -> None:
    match = _KEY.fullmatch(key)
    steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [key]
    if len(steps) > _MAX_DEPTH:
        raise issues.invalid(issues.unrecognized([key]))
    *path, last = steps
    for step in path:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise issues.invalid(issues.unrecognized([key]))
    if last in tree:
        raise issues.invalid(issues.unrecognized([key]))
    tree[last] = values if len(values) > 1 or (path and not last) else values[0]


def _with_lists(value: Any) -> Any:
    """What is keyed by numbers, or by nothing, is a list."""
    if not isinstance(value, dict):
        return value
    if set(value) == {""}:
        only = value[""]
        return only if isinstance(only, list) else [_with_lists(only)]
    if all(_INDEX.fullmatch(key) for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(each) for key, each in value.items()}


def text_in(query: Mapping[str, Any], name: str) -> str | None:
    """:raises InvalidData: not one string."""
    value = query.get(name)
    if value is not None and not isinstance(value, str):
        raise issues.invalid(issues.wrong_type(name, "string", value))
    return value


def flag_in(query: Mapping[str, Any], name: str) -> bool | None:
    """:raises InvalidData: neither true nor false, in whatever case."""
    value = query.get(name)
    return None if value is None else flag(name, value)


def flag(name: str, value: Any) -> bool:
    """:raises InvalidData: neither true nor false, in whatever case."""
    if not isinstance(value, str) or value.lower() not in _FLAGS:
        raise issues.invalid(issues.wrong_type(name, "boolean", value))
    return _FLAGS[value.lower()]
