"""Form bodies and query strings with nested brackets, as Stripe's libraries write them."""

import re
from collections.abc import Iterable
from typing import Any

from .errors import JsonObject, invalid_parameter

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_KEY = re.compile(r"\[([^\[\]]*)\]")


def parse_pairs(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    """`a[b]=1&c[0]=x&c[]=y` becomes `{"a": {"b": "1"}, "c": ["x", "y"]}`; leaves stay text.

    Metadata is never a list, whatever its keys.
    """
    tree: JsonObject = {}
    for name, value in pairs:
        _place(tree, _keys_of(name), value)
    return {
        name: branch if name == "metadata" else _with_lists(branch) for name, branch in tree.items()
    }


def _keys_of(name: str) -> list[str]:
    match = _NAME.match(name)
    if match is None:
        raise invalid_parameter(f"Invalid parameter name: {name}", param=name)
    return [match.group(1), *_KEY.findall(match.group(2))]


def _place(tree: JsonObject, keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        branch = tree.setdefault(key or str(len(tree)), {})
        if not isinstance(branch, dict):
            raise invalid_parameter(f"Invalid object: {keys[0]}", param=keys[0])
        tree = branch
    tree[keys[-1] or str(len(tree))] = value


def _with_lists(branch: Any) -> Any:
    if not isinstance(branch, dict):
        return branch
    converted = {key: _with_lists(value) for key, value in branch.items()}
    if converted and all(key.isdigit() for key in converted):
        return [converted[key] for key in sorted(converted, key=int)]
    return converted
