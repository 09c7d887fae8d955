"""What is said of one method of a route, beside what its tables say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from medusa_payments.api.bodies import Field
from medusa_payments.api.listing import Listing
from medusa_payments.api.openapi.components import record, with_keys
from medusa_payments.api.openapi.parameters import FIELDS, Parameter, of_list, of_one
from medusa_payments.api.shapes.schemas import Schema
from medusa_payments.errors import NotFound

Refusals: TypeAlias = "tuple[type[Exception], ...]"


@dataclass(frozen=True, kw_only=True)
class Description:
    """``name`` is that of the function in a generated client, so it never changes."""

    name: str
    summary: str
    answer: Schema
    note: str = ""
    body: Mapping[str, Field] | None = None
    query: tuple[Parameter, ...] = ()
    refusals: Refusals = ()  # beside those of every route of its kind
    may_be_uncertain: bool = False
    # Further statuses that come with the answer, and what each then says.
    answers_with: Mapping[str, str] = field(default_factory=dict)
    takes_anything: bool = False  # a body that is no table of ours
    media_type: str = "application/json"


def list_of(listing: Listing, *, name: str, summary: str, note: str = "") -> Description:
    return Description(
        name=name,
        summary=summary,
        note=note,
        answer=page_of(listing.many, listing.shape),
        query=of_list(listing),
    )


def page_of(key: str, shape: str) -> Schema:
    records: Schema = {"type": "array", "items": record(shape)}
    count: Schema = {"type": "integer", "minimum": 0}
    return with_keys({key: records, "count": count, "offset": count, "limit": count})


def one_of(listing: Listing, *, name: str, summary: str, note: str = "") -> Description:
    return Description(
        name=name,
        summary=summary,
        note=note,
        answer=with_keys({listing.one: record(listing.shape)}),
        query=of_one(listing),
        refusals=(NotFound,),
    )


def act_on(
    shape: str,
    *,
    name: str,
    summary: str,
    body: Mapping[str, Field],
    refusals: Refusals,
    note: str = "",
    may_be_uncertain: bool = False,
) -> Description:
    """A POST that answers with the record as it then is."""
    return Description(
        name=name,
        summary=summary,
        note=note,
        answer=with_keys({shape: record(shape)}),
        body=body,
        query=(FIELDS,),
        refusals=refusals,
        may_be_uncertain=may_be_uncertain,
    )


def deletion_of(kind: str) -> Schema:
    """The answer to a deletion, which names what was deleted by its kind."""
    return with_keys(
        {
            "id": {"type": "string"},
            "object": {"type": "string", "enum": [kind]},
            "deleted": {"type": "boolean"},
        }
    )
