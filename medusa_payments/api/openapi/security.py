"""What a request shows to say who asks."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from medusa_payments.api.shapes.schemas import Schema

_AUTHENTICATION = "medusa_payments.api.authentication"
_STAFF = "medusa_payments.api.staff"


class PublishableKeyScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.PublishableKeyAuthentication"
    name = "publishableKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "x-publishable-api-key",
            "description": "`pk_...`, which stands in the shop's pages for everybody to see.",
        }


class SecretKeyScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.SecretKeyAuthentication"
    name = "secretKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "`sk_...` of the shop's server as the user, and no password.",
        }


class StaffTokenScheme(OpenApiAuthenticationExtension):
    target_class = f"{_STAFF}.StaffTokenAuthentication"
    name = "staffToken"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "What `POST /auth/user/emailpass` gives a member of the staff.",
        }


class StaffSessionScheme(OpenApiAuthenticationExtension):
    target_class = f"{_STAFF}.StaffSessionAuthentication"
    name = "staffSession"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": (
                "Django's session of a member of the staff; the name is that of the shop's"
                " `SESSION_COOKIE_NAME`. What is not a GET carries `X-CSRFToken` too."
            ),
        }
