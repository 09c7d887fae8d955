"""Logging in, the providers' events, and the document itself."""

from __future__ import annotations

from typing import Any

from medusa_payments.api.errors import WebhookNotStored
from medusa_payments.api.openapi.components import with_keys
from medusa_payments.api.openapi.description import Description
from medusa_payments.api.tokens import ACTOR_TYPE
from medusa_payments.api.views.auth import CREDENTIALS, AuthSession, EmailPasswordLogin
from medusa_payments.api.views.document import OpenApiDocument
from medusa_payments.api.views.webhooks import PaymentHook
from medusa_payments.errors import NotFound, Unauthorized

_TEXT = {"type": "string"}

ACCESS: dict[type[Any], dict[str, Description]] = {
    EmailPasswordLogin: {
        "post": Description(
            name="auth_log_in",
            summary="Log in with an email address and a password",
            answer=with_keys({"token": _TEXT}),
            body=CREDENTIALS,
            refusals=(Unauthorized,),
        )
    },
    AuthSession: {
        "post": Description(
            name="auth_create_session",
            summary="Keep a cookie instead of a token",
            note="The token is shown in the `Authorization` header.",
            answer=with_keys(
                {
                    "user": with_keys(
                        {"actor_id": _TEXT, "actor_type": _TEXT | {"enum": [ACTOR_TYPE]}}
                    )
                }
            ),
            refusals=(Unauthorized,),
        ),
        "delete": Description(
            name="auth_delete_session",
            summary="Log out",
            answer=with_keys({"success": {"type": "boolean"}}),
        ),
    },
    PaymentHook: {
        "post": Description(
            name="hooks_receive_webhook_event",
            summary="Take an event of a payment provider",
            note=(
                "200 once it is stored, whatever becomes of it. The provider's signature is the"
                " credential, so the body is read as the provider writes it."
            ),
            answer=_TEXT | {"enum": ["OK"]},
            media_type="text/plain",
            takes_anything=True,
            refusals=(NotFound, WebhookNotStored),
        )
    },
    OpenApiDocument: {
        "get": Description(
            name="document_get", summary="Get this document", answer={"type": "object"}
        )
    },
}
