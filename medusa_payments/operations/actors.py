"""Who acts, and through which door."""

from __future__ import annotations

from dataclasses import dataclass

from medusa_payments.statuses import Door


@dataclass(frozen=True)
class Actor:
    """``id`` is text: an API key's or user's id, or the name of a part of ours."""

    id: str
    door: Door

    @property
    def created_by(self) -> str | None:
        """What a movement's ``created_by`` holds: null for what no person or key asked for."""
        return None if self.door in (Door.WEBHOOK, Door.SWEEP) else self.id


SYSTEM = Actor("system", Door.PYTHON)
SWEEP = Actor("sweep", Door.SWEEP)
WEBHOOK = Actor("webhook", Door.WEBHOOK)
