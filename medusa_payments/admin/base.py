"""What every record page shares: it shows everything and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from medusa_payments.admin.display import NOTHING, badge, badges
from medusa_payments.models import PaymentCollection
from medusa_payments.operations.automation import active_stops
from medusa_payments.operations.database import database_alias

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


@dataclass(frozen=True)
class RecordAct:
    """A button to the page that asks before something is decided."""

    url: str
    label: str


class ReadOnlyAdmin(ModelAdmin):
    """Shows soft-deleted rows too. Adding, changing and deleting are refused to everybody, so
    Django's bulk deletion is not offered either; money moves through operations only.

    Not django-safedelete's SafeDeleteAdmin: that one ships a hard delete.
    """

    actions: Any = None
    change_form_template = "admin/medusa_payments/record.html"
    change_list_template = "admin/medusa_payments/list.html"
    list_per_page = 50
    ordering: ClassVar[Any] = ("-pk",)  # ids sort by creation
    # Counting all rows of a large table takes longer than reading a page of it.
    show_full_result_count = False

    class Media:
        css = {"all": ["medusa_payments/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """From the database that is written to: a replica may lag behind the money."""
        manager = getattr(self.model, "all_objects", self.model._default_manager)
        rows: QuerySet[Any] = manager.using(database_alias())
        return rows.order_by(*self.get_ordering(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Django's history knows nothing of money; the audit trail does."""
        raise PermissionDenied

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        own = {"acts": self.list_acts(request), "stops": active_stops}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def list_acts(self, request: HttpRequest) -> list[RecordAct]:
        """Buttons above the list."""
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        context["marks"] = self.marks(obj)
        context["acts"] = self.acts(request, obj)
        context["stops"] = active_stops
        context["timeline_url"] = self._timeline_url(obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def acts(self, request: HttpRequest, row: Any) -> list[RecordAct]:
        """Buttons of the row's page."""
        return []

    def marks(self, row: Any) -> list[str]:
        """Badges beside the title."""
        return deletion_marks(row)

    def collection_id(self, row: Any) -> str:
        """Id of the collection whose audit trail tells of the row; empty: none does."""
        return getattr(row, "payment_collection_id", None) or ""

    def _timeline_url(self, row: Any) -> str:
        collection_id = self.collection_id(row)
        if not collection_id:
            return ""
        name = f"admin:{PaymentCollection._meta.app_label}_paymentcollection_change"
        try:
            url = reverse(name, args=[collection_id], current_app=self.admin_site.name)
        except NoReverseMatch:
            return ""
        return f"{url}#timeline"


def deletion_marks(row: Any) -> list[str]:
    """Soft-deleted rows stay on every page, marked with why they went and what became of them."""
    if getattr(row, "deleted", None) is None:
        return []
    reason = getattr(row, "deleted_reason", "")
    marks: list[str] = [
        badge("deleted", f"deleted: {reason}" if reason else "deleted", tone="gone")
    ]
    if hasattr(row, "resolution"):
        marks.append(
            badge(row.resolution) if row.resolution else badge("indeterminate", "not resolved yet")
        )
    return marks


@admin.display(description="deleted")
def deletion(row: Any) -> Any:
    """List column of soft-deletable records."""
    return badges(deletion_marks(row)) or NOTHING
