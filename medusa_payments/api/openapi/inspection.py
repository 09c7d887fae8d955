"""Views as drf-spectacular asks about them: one method of one route at a time."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from medusa_payments.api.openapi import security  # noqa: F401 - makes its schemes known
from medusa_payments.api.openapi.bodies import schema_of_body
from medusa_payments.api.openapi.components import name_of, reference, schemas_of_records
from medusa_payments.api.openapi.description import Description
from medusa_payments.api.openapi.parameters import IDEMPOTENCY_KEY, in_path, schemas_of_filters
from medusa_payments.api.openapi.refusals import (
    answers_to,
    is_keyed,
    of_every,
    schemas_of_errors,
)
from medusa_payments.api.shapes.schemas import Schema

_ID = re.compile(r"\(\?P<(\w+)>(\[[^\]]+\]\{[^}]+\})\)")
_UNCERTAIN = (
    "Asked of the provider, and the outcome is not known yet: `uncertain` of the payment says what"
    " is open. It is found out without a further request."
)
_REPLAYED: Schema = {
    "Idempotent-Replayed": {
        "description": "The answer was given before to the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


class PaymentsSchema(AutoSchema):
    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> Schema:
        from medusa_payments.api.openapi.described import description_of

        self.registry, self.method = registry, method
        described = description_of(type(self.view), method)
        self._register_schemas(described)
        operation: Schema = {
            "operationId": described.name,
            "summary": described.summary,
            "description": described.note,
            "tags": [described.name.partition("_")[0]],
            "parameters": self._parameters(described, path_regex),
            "requestBody": _request_body(described),
            "security": self.get_auth(),
            "responses": self._answers(described),
        }
        return {name: value for name, value in operation.items() if value or name == "security"}

    def _register_schemas(self, described: Description) -> None:
        schemas = schemas_of_records() | schemas_of_filters() | schemas_of_errors()
        if described.body is not None:
            schemas[_body_name(described)] = schema_of_body(described.body)
        for name, schema in schemas.items():
            component = ResolvedComponent(
                name, ResolvedComponent.SCHEMA, schema=schema, object=PaymentsSchema
            )
            self.registry.register_on_missing(component)

    def _parameters(self, described: Description, path_regex: str) -> list[Schema]:
        found = [in_path(name, pattern) for name, pattern in _ID.findall(path_regex)]
        if is_keyed(self.view, self.method):
            found.append(IDEMPOTENCY_KEY)
        return [parameter.as_openapi() for parameter in (*found, *described.query)]

    def _answers(self, described: Description) -> dict[str, Schema]:
        content = {described.media_type: {"schema": described.answer}}
        done: Schema = {"description": "Done.", "content": content}
        if is_keyed(self.view, self.method):
            done["headers"] = _REPLAYED
        answers = {"200": done}
        if described.may_be_uncertain:
            answers["202"] = {"description": _UNCERTAIN, "content": content}
        for status, says in described.answers_with.items():
            answers[status] = {"description": says, "content": content}
        return answers | answers_to((*of_every(self.view, self.method), *described.refusals))


def _body_name(described: Description) -> str:
    return f"{name_of(described.name)}Body"


def _request_body(described: Description) -> Schema | None:
    if described.takes_anything:
        return {"content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}
    if described.body is None:
        return None
    is_required = any(field.is_required for field in described.body.values())
    schema: Any = reference(_body_name(described))
    return {"required": is_required, "content": {"application/json": {"schema": schema}}}
