"""Sending the shop's signals after the commit, at least once (law 12).

A plain ``send_robust``, not ``on_commit``: that never fires inside Django's TestCase.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.dispatch import Signal

from medusa_payments.models import WebhookEvent
from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently
from medusa_payments.signals import FOR_THE_SHOP

logger = logging.getLogger("medusa_payments")


def tell_shop(carrier: RecordedCall | WebhookEvent | None) -> bool:
    """Send what a call's or event's record owes the shop. False: a receiver raised.

    ``carrier`` is as its record left it.
    """
    if carrier is None or carrier.follow_up_at is None:
        return True
    sent = [_send(signal, subjects) for signal, *subjects in carrier.signals]
    if not all(sent):
        return False
    rows = type(carrier)._default_manager.using(database_alias())
    # Unless more was added meanwhile: whoever added it sends it.
    told = rows.filter(pk=carrier.pk, follow_up_at=carrier.follow_up_at)
    patiently(lambda: told.update(follow_up_at=None, followed_up_at=DatabaseNow()))
    return True


def _send(name: str, subjects: Sequence[str]) -> bool:
    signal: Signal = FOR_THE_SHOP[name]
    if not signal.has_listeners():
        return True
    found = dict(_find(subject) for subject in subjects)
    results = signal.send_robust(sender=type(next(iter(found.values()))), **found)
    errors = [(receiver, answer) for receiver, answer in results if isinstance(answer, Exception)]
    for receiver, error in errors:
        facts = {"event": "receiver.raised", "signal": name, "subjects": list(subjects)}
        text = "Receiver %r of %s raised; it is called again"
        logger.error(text, receiver, name, exc_info=error, extra=facts)
    return not errors


_MODELS = {
    "session": "PaymentSession",
    "payment": "Payment",
    "capture": "Capture",
    "refund": "Refund",
    "dispute": "Dispute",
    "discrepancy": "Discrepancy",
}


def _find(subject: str) -> tuple[str, Any]:
    name, _, pk = subject.partition("=")
    model = apps.get_model("medusa_payments", _MODELS[name])
    return name, model._base_manager.using(database_alias()).get(pk=pk)
