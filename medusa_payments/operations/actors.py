"""Who acts, and through which door."""

from __future__ import annotations

from dataclasses import dataclass

from medusa_payments.errors import InvalidData, PersonRequired
from medusa_payments.statuses import Door

_AUTOMATIC = (Door.WEBHOOK, Door.SWEEP)


@dataclass(frozen=True)
class Actor:
    """``id`` is text: an API key's or user's id, or the name of a part of ours."""

    id: str
    door: Door

    @property
    def created_by(self) -> str | None:
        """What a movement's ``created_by`` holds: null for what no person or key asked for."""
        return None if self.is_automatic else self.id

    @property
    def is_automatic(self) -> bool:
        """Whether nobody asked: reconciliation acts by itself."""
        return self.door in _AUTOMATIC


SYSTEM = Actor("system", Door.PYTHON)
SWEEP = Actor("sweep", Door.SWEEP)
WEBHOOK = Actor("webhook", Door.WEBHOOK)


def refuse_unless_person(actor: Actor, **words: str) -> None:
    """What a person decides has a name and a reason; ``words`` are what may not be empty.

    :raises PersonRequired: the actor is no person: a part of ours, a webhook, a buyer.
    :raises InvalidData: a word is missing.
    """
    is_nobody = not actor.id.strip() or actor.id == SYSTEM.id
    if is_nobody or actor.is_automatic or actor.door == Door.STORE_API:
        raise PersonRequired
    for name, word in words.items():
        if not word.strip():
            raise InvalidData(f"Say the {name}: it is kept with the decision.")
