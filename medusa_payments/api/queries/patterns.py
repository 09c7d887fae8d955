"""``$like``, ``$ilike``, ``$contains`` and ``$re``: alike on every database, and never slow.

Django's own lookups do not do: on SQLite ``contains`` ignores case, and on MariaDB ``icontains``
heeds it in a column that compares case by case.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Regex
from django.db.models.sql.compiler import SQLCompiler

from medusa_payments.errors import InvalidData

MAX_LENGTH = 255
_ESCAPE = "!"
_Sql = tuple[str, Any]


class _Like(Func):
    """Case by case. The pattern is in terms of % and _, and ``!`` takes a sign as it is."""

    template = f"(%(expressions)s ESCAPE '{_ESCAPE}')"
    arg_joiner = " LIKE "
    output_field = BooleanField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> _Sql:
        """LIKE ignores the case of ASCII letters there; GLOB heeds it."""
        column, pattern = self.get_source_expressions()
        globbed = self.copy()
        globbed.set_source_expressions([column, Value(_as_glob(pattern.value))])
        return globbed.as_sql(
            compiler, connection, template="(%(expressions)s)", arg_joiner=" GLOB "
        )

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> _Sql:
        """Whatever the column's own character set and collation are."""
        column, pattern = self.get_source_expressions()
        exact = Func(
            column,
            template="CONVERT(%(expressions)s USING utf8mb4) COLLATE utf8mb4_bin",
            output_field=column.output_field,
        )
        compared = self.copy()
        compared.set_source_expressions([exact, pattern])
        return compared.as_sql(compiler, connection)


class _ILike(Func):
    template = f"(%(expressions)s ESCAPE '{_ESCAPE}')"
    arg_joiner = " LIKE "
    output_field = BooleanField()


def like(column: str, name: str, pattern: str) -> Q:
    """% is any text, _ any one sign, and a backslash takes the next sign as it is."""
    _check_length(name, pattern)
    return _is_like(column, pattern)


def ilike(column: str, name: str, pattern: str) -> Q:
    """As ``like``, in whatever case."""
    _check_length(name, pattern)
    return _is_ilike(column, pattern)


def contains(column: str, name: str, wanted: str, *, any_case: bool = False) -> Q:
    """The text stands somewhere in the column."""
    _check_length(name, wanted)
    literal = re.sub(r"([\\%_])", r"\\\1", wanted)
    return (_is_ilike if any_case else _is_like)(column, f"%{literal}%")


def _check_length(name: str, text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidData(f"The pattern for '{name}' has more than {MAX_LENGTH} characters.")


def _is_like(column: str, pattern: str) -> Q:
    return Q(_Like(F(column), Value(_as_like(pattern))))


def _is_ilike(column: str, pattern: str) -> Q:
    return Q(_ILike(Lower(F(column)), Lower(Value(_as_like(pattern)))))


def _as_like(pattern: str) -> str:
    return "".join(
        sign if is_wildcard else re.sub(r"([!%_])", r"!\1", sign)
        for sign, is_wildcard in _signs(pattern)
    )


def _signs(pattern: str) -> list[tuple[str, bool]]:
    """Each sign, and whether it is a wildcard."""
    found = []
    for escaped, sign in re.findall(r"(\\?)(.)", pattern, re.DOTALL):
        found.append((sign, not escaped and sign in "%_"))
    return found


def _as_glob(like_pattern: str) -> str:
    signs = re.findall(rf"({_ESCAPE}?)(.)", like_pattern, re.DOTALL)
    return "".join(_GLOB.get(escaped + sign, sign) for escaped, sign in signs)


# Sign of a LIKE pattern -> of a GLOB. An escaped sign stands for itself.
_GLOB = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}


# $re: what all three databases and Python read alike, and what none can be made to
# labour at: signs may be repeated, groups may not, and few repetitions stand in one pattern.

_ATOM = r"(?:\\[!-/:-@\[-`{-~]|\[\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w.@:/ ])+-?\]|[^\\\[\](){}|*+?^$])"
_BRANCH = rf"(?:\^?(?:{_ATOM}[*+?]?)+\$?)"
_PATTERN = re.compile(rf"{_BRANCH}(?:\|{_BRANCH})*", re.DOTALL | re.ASCII)
_MAX_REPETITIONS = 2
MAX_PATTERN = 100


def regex(column: str, name: str, pattern: str) -> Q:
    """
    :raises InvalidData: the pattern is none, or none that is sure to be answered soon.
    """
    if not _is_tame(pattern):
        raise InvalidData(
            f"The pattern of $re for '{name}' is not supported: use signs, '.', '[a-z]', '^', '$',"
            f" '|' and at most {_MAX_REPETITIONS} of '*', '+' and '?', without groups, in up to"
            f" {MAX_PATTERN} characters."
        )
    return Q(Regex(F(column), pattern))  # the lookup of that name is not for foreign keys


def _is_tame(pattern: str) -> bool:
    if len(pattern) > MAX_PATTERN or not _PATTERN.fullmatch(pattern):
        return False
    repetitions = re.sub(r"\\.|\[[^\]]*\]", "", pattern, flags=re.DOTALL)
    if sum(map(repetitions.count, "*+?")) > _MAX_REPETITIONS:
        return False
    try:
        re.compile(pattern)  # such as a range from z to a
    except re.error:
        return False
    return True
