"""Ids of records: ``<prefix>_<ULID>``, so that they sort by creation and name their kind."""

from ulid import ULID


def new_id(prefix: str) -> str:
    return f"{prefix}_{ULID()}"
