from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.contrib import admin

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    identifier_column,
    link_column,
    time_column,
)
from medusa_payments.admin.display import identifier, pretty_json, record_link, time
from medusa_payments.admin.sentences import sentence
from medusa_payments.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("when", "what", "subject", "who", "door", "cause_text", "collection", "number")
    list_filter = ("door", "subject_type", "created_at")
    search_fields = (
        "subject_id__startswith",
        "payment_collection__id__startswith",
        "account_holder__id__startswith",
        "action__startswith",
        "actor__startswith",
        "cause__startswith",
    )
    list_select_related = ("payment_collection",)
    search_help_text = "Id of any record or of a collection, action, actor, or cause."
    fieldsets = (
        (None, {"fields": ("collection", "holder", "number", "when", "who", "door", "cause_text")}),
        ("What changed", {"fields": ("what", "action", "subject", "before_json", "after_json")}),
        ("Chain", {"fields": ("previous", "own_hash")}),
    )

    collection = link_column("payment_collection", "collection")
    holder = link_column("account_holder", "account holder")
    when = time_column("created_at", "when")
    who = identifier_column("actor", "who")
    cause_text = identifier_column("cause")
    previous = identifier_column("previous_hash")
    own_hash = identifier_column("hash")

    @admin.display(description="what", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        after = json.loads(entry.after)
        collection = entry.payment_collection
        code = after.get("currency_code") or (collection.currency_code if collection else "")
        return sentence(entry.action, after, code)

    @admin.display(description="record", ordering="subject_id")
    def subject(self, entry: AuditEntry) -> Any:
        try:
            model = apps.get_model("medusa_payments", entry.subject_type)
        except LookupError:
            return identifier(entry.subject_id)
        return record_link(model, entry.subject_id, site=self.admin_site.name)

    @admin.display(description="before")
    def before_json(self, entry: AuditEntry) -> Any:
        return pretty_json(json.loads(entry.before))

    @admin.display(description="after")
    def after_json(self, entry: AuditEntry) -> Any:
        return pretty_json(json.loads(entry.after))

    def marks(self, row: Any) -> list[str]:
        return [time(row.created_at)]
