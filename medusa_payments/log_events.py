"""What happens, as structured log records: one event a record, by the logger
``medusa_payments.events``, with the event's name and facts as attributes of the record.

Facts are ids, kinds, statuses, amounts in smallest units and times. What is redacted in what we
store is redacted here too. Events of records are logged after the commit that made them true.
"""

from __future__ import annotations

import logging
from typing import Any

from medusa_payments.redaction import redact

logger = logging.getLogger("medusa_payments.events")

# What somebody should notice; the rest is information.
_WARNINGS = (
    "discrepancy.opened",
    "provider.paused",
    "session.indeterminate",
    "event.parked",
    "event.quarantined",
)


def log_event(event: str, **facts: Any) -> None:
    """``facts`` that are empty are left out. Never raises for a fact that it cannot show."""
    level = logging.WARNING if event in _WARNINGS else logging.INFO
    if not logger.isEnabledFor(level):
        return
    told = {name: value for name, value in redact(facts).items() if value not in (None, "")}
    text = " ".join(f"{name}={value}" for name, value in told.items())
    logger.log(level, "%s %s", event, text, extra={"event": event, **told})
