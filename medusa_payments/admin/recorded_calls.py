"""What the pages of all calls to providers share, whatever they are about."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
    own_link_column,
    time_column,
)
from medusa_payments.admin.display import badge, scrub
from medusa_payments.models.recorded_call import RecordedCall


def attempts(call: RecordedCall) -> list[dict[str, str]]:
    """Every attempt, without the secrets that a provider's text may hold."""
    return [{name: scrub(str(value)) for name, value in each.items()} for each in call.attempts]


class RecordedCallAdmin(ReadOnlyAdmin):
    own_link = own_link_column()
    state_badge = badge_column("state")
    provider = identifier_column("provider_id", "provider")
    request = identifier_column("request_id", "provider's request id")
    key = identifier_column("idempotency_key")
    digest = identifier_column("arguments_digest", "digest of the arguments")
    created = time_column("created_at", "created")
    first_sent = time_column("first_sent_at", "first sent")
    last_sent = time_column("last_sent_at", "last sent")
    next_attempt = time_column("next_attempt_at", "next look")
    leased = time_column("leased_until")
    arguments_json = json_column("arguments")

    @admin.display(description="attempts")
    def attempts_table(self, call: RecordedCall) -> str:
        return render_to_string(
            "admin/medusa_payments/includes/attempts.html", {"attempts": attempts(call)}
        )

    def marks(self, row: Any) -> list[str]:
        return [badge(row.state)]
