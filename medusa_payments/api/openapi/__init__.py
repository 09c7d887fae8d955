"""What drf-spectacular is told of the API; nothing in it is needed to serve.

The tables that the views read by are its sources: shapes for answers, fields for bodies, filters
for queries, the table of errors for refusals. ``described`` adds what only words can say.
"""

from __future__ import annotations

from importlib.util import find_spec

from rest_framework.schemas.inspectors import DefaultSchema, ViewInspector


def view_schema() -> ViewInspector:
    """What tells drf-spectacular of a view; DRF's default where that is not installed."""
    if find_spec("drf_spectacular") is None:
        return DefaultSchema()
    from medusa_payments.api.openapi.inspection import PaymentsSchema

    return PaymentsSchema()
