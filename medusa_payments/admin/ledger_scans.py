"""Scans of a provider's ledger, and what each did not find on both sides."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    link_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.display import NOTHING, badge, money
from medusa_payments.admin.filters import ProviderFilter
from medusa_payments.errors import UnsupportedCurrency
from medusa_payments.models import LedgerFinding, LedgerScan


def amount(amount_minor: int | None, code: str) -> str:
    """In major units; of a currency that we do not know in its smallest."""
    try:
        return money(amount_minor, code)
    except UnsupportedCurrency:
        return f"{amount_minor} {code.upper()} (smallest unit)"


@admin.register(LedgerScan)
class LedgerScanAdmin(ReadOnlyAdmin):
    list_display = ("own_link", "state_badge", "provider", "from_", "to", "come_to", "finished")
    list_filter = ("state", ProviderFilter, "created_at")
    search_fields = ("id__startswith", "provider_id__startswith")
    search_help_text = "Id of the scan; provider."
    fieldsets = (
        (None, {"fields": ("own_link", "state_badge", "provider", "from_", "to")}),
        ("Time", {"fields": ("begun", "come_to", "finished", "leased")}),
        ("Both sides", {"fields": ("figures_table", "findings")}),
    )

    own_link = own_link_column()
    state_badge = badge_column("state")
    provider = identifier_column("provider_id", "provider")
    from_ = time_column("since", "from")
    to = time_column("until", "until")
    come_to = time_column("watermark", "come to")
    begun = time_column("created_at", "begun")
    finished = time_column("finished_at", "finished")
    leased = time_column("leased_until")

    @admin.display(description="objects")
    def figures_table(self, scan: LedgerScan) -> str:
        rows = [
            (kind, name, objects, amount(there, code), amount(here, code))
            for kind, code, name, objects, there, here in scan.figures
        ]
        return render_to_string("admin/medusa_payments/includes/figures.html", {"rows": rows})

    @admin.display(description="findings")
    def findings(self, scan: LedgerScan) -> str:
        name = f"admin:{LedgerFinding._meta.app_label}_ledgerfinding_changelist"
        url = reverse(name, current_app=self.admin_site.name)
        return format_html('<a href="{}?scan__id={}">What was not matched</a>', url, scan.pk)

    def marks(self, row: Any) -> list[str]:
        return [badge(row.state)]


@admin.register(LedgerFinding)
class LedgerFindingAdmin(ReadOnlyAdmin):
    list_display = (
        "own_link",
        "class_badge",
        "kind",
        "reference",
        "session",
        "there",
        "here",
        "text",
        "discrepancy_link",
    )
    list_filter = ("ledger_class", "kind", "created_at")
    search_fields = (
        "id__startswith",
        "scan__id__startswith",
        "provider_reference__startswith",
        "payment_reference__startswith",
        "session_mark__startswith",
        "record_id__startswith",
    )
    search_help_text = "Id of the finding, its scan, session or refund; provider's id."
    fieldsets = (
        (None, {"fields": ("own_link", "class_badge", "kind", "text", "there", "here")}),
        ("There", {"fields": ("reference", "payment_id", "mark")}),
        ("Here", {"fields": ("session", "record", "discrepancy_link")}),
        ("Scan", {"fields": ("scan_link", "found")}),
    )

    own_link = own_link_column()
    class_badge = badge_column("ledger_class", "class")
    reference = identifier_column("provider_reference", "id at the provider")
    payment_id = identifier_column("payment_reference", "payment at the provider")
    mark = identifier_column("session_mark", "names session")
    record = identifier_column("record_id", "record")
    session = link_column("payment_session", "session")
    discrepancy_link = link_column("discrepancy")
    scan_link = link_column("scan")
    text = text_column("detail", "what is wrong")
    found = time_column("created_at", "found")

    @admin.display(description="there", ordering="there_minor")
    def there(self, finding: LedgerFinding) -> str:
        return _amount_of(finding, finding.there_minor)

    @admin.display(description="here", ordering="here_minor")
    def here(self, finding: LedgerFinding) -> str:
        return _amount_of(finding, finding.here_minor)


def _amount_of(finding: LedgerFinding, amount_minor: int | None) -> str:
    return NOTHING if amount_minor is None else amount(amount_minor, finding.currency_code)
