"""Ids of records: ``<prefix>_<ULID>``, so that they sort by creation and name their kind."""

from ulid import ULID


def new_id(prefix: str) -> str:
    return f"{prefix}_{ULID()}"


def id_beside(prefix: str, other_id: str) -> str:
    """The id of another kind of record that belongs to the same request: its ULID is the same."""
    return f"{prefix}_{other_id.rpartition('_')[2]}"
