"""The ``fields`` parameter (CONTRACT section 4): which names of a shape an answer shows.

Any item without a modifier makes the list replace the defaults; else ``+x`` adds, ``-x`` removes,
and ``*rel`` or ``rel.*`` adds a relation with all its columns. Unknown names show nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from medusa_payments.api.shapes import SHAPES, Selection

_MAX_DEPTH = 5

ALL = ("*",)  # every column
PAYMENT = (
    "id",
    "currency_code",
    "amount",
    "captured_at",
    "payment_collection_id",
    "payment_session_id",
    "captures.id",
    "captures.amount",
    "refunds.id",
    "refunds.amount",
    "refunds.note",
    "refunds.payment_id",
    "refunds.refund_reason_id",
    "refunds.refund_reason.id",
    "refunds.refund_reason.label",
    "refunds.refund_reason.code",
)
ADMIN_COLLECTION = (
    "id",
    "currency_code",
    "amount",
    "status",
    "authorized_amount",
    "captured_amount",
    "refunded_amount",
    "*payment_sessions",
    "*payments",
)
STORE_COLLECTION = ("id", "currency_code", "amount", "*payment_sessions")
STORE_COLLECTION_ALLOWED = (
    *STORE_COLLECTION,
    "status",
    "payment_providers",
    "payment_providers.id",
    *(
        f"payment_sessions.{name}"
        for name in ("id", "amount", "currency_code", "provider_id", "data", "status")
    ),
)
REFUND_REASON = ("id", "label", "code", "description", "created_at", "updated_at", "deleted_at")
PROVIDER = ("id", "is_enabled")


def select(
    shape: str,
    defaults: Sequence[str],
    given: str | None,
    *,
    allowed: Collection[str] | None = None,
) -> Selection:
    """The names to show. What is not ``allowed`` is left out without a word; None allows all."""
    wanted, unwanted = _edited(defaults, _items(given))
    if allowed is not None:
        known = {_path(each) for each in allowed}
        wanted = [path for path in wanted if path in known]
    selection: Selection = {}
    for path in wanted:
        if path.count(".") < _MAX_DEPTH:
            _add(selection, shape, path.split("."))
    for path in unwanted:
        _remove(selection, path.removesuffix(".*").split("."))
    selection["id"] = {}
    return selection


def _items(given: str | None) -> list[str]:
    """A leading space is a ``+`` that the query's decoding turned into one."""
    items = ("+" + item[1:] if item.startswith(" ") else item for item in (given or "").split(","))
    return [item.strip() for item in items if item.strip("+- ")]


def _edited(defaults: Sequence[str], items: Sequence[str]) -> tuple[list[str], list[str]]:
    removed = [_path(item) for item in items if item.startswith("-")]
    added = [_path(item) for item in items if not item.startswith("-")]
    if not all(_is_modified(item) for item in items):
        return added, []
    return [*map(_path, defaults), *added], removed


def _is_modified(item: str) -> bool:
    return item.startswith(("+", "-", "*")) or item.endswith(".*")


def _path(item: str) -> str:
    """Without its modifier; ``*rel`` becomes ``rel.*``."""
    name = item.lstrip("+-")
    return f"{name[1:]}.*" if name.startswith("*") and name != "*" else name


def _add(selection: Selection, shape: str, path: Sequence[str]) -> None:
    name, *rest = path
    if name == "*":
        selection.update(_all_of(shape))
    elif SHAPES[shape].column(name):
        selection[name] = {}
    elif relation := SHAPES[shape].relations.get(name):
        below = selection.setdefault(name, {"id": {}})
        if rest:
            _add(below, relation.to, rest)


def _all_of(shape: str) -> Selection:
    found: Selection = {name: {} for name in SHAPES[shape].columns}
    for name in SHAPES[shape].starred:
        to = SHAPES[SHAPES[shape].relations[name].to]
        found[name] = {column: {} for column in to.columns}
    return found


def _remove(selection: Selection, path: Sequence[str]) -> None:
    *above, last = path
    for name in above:
        if name not in selection:
            return
        selection = selection[name]
    selection.pop(last, None)
