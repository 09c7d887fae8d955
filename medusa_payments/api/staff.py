"""Members of the shop's staff: how they log in, and how a request shows that one of them asks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from medusa_payments.api.authentication import UNAUTHORIZED, credentials_in
from medusa_payments.api.parsers import raw_body
from medusa_payments.api.tokens import actor_id, user_of
from medusa_payments.errors import InvalidData
from medusa_payments.operations.actors import Actor
from medusa_payments.statuses import Door


class StaffTokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        """:raises AuthenticationFailed: the token is not valid, or not one of the staff's."""
        scheme, _ = credentials_in(request)
        return _as_actor(bearer_of(request)) if scheme == "bearer" else None


class StaffSessionAuthentication(SessionAuthentication):
    """The cookie of Django's admin, for scripts of its pages; what they send is guarded by CSRF.

    Asked last: who sends a header is judged by it, even by a wrong one.
    """

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        """
        :raises PermissionDenied: the CSRF token is missing or wrong.
        :raises InvalidData: it was looked for in a form that is no text.
        """
        user = getattr(request._request, "user", None)
        if not _is_active_staff(user):
            return None
        raw_body(request)  # or the search for a token in a form would leave nothing to be read
        try:
            self.enforce_csrf(request._request)  # type: ignore[arg-type] # as Django sees it
        except LookupError as error:  # Django knows codecs that are none of text, such as hex
            raise InvalidData("The charset of the request is no encoding of text.") from error
        return _as_actor(user)


def bearer_of(request: Request) -> Any:
    """The member of the staff whose token the request carries.

    :raises AuthenticationFailed: it carries none that is valid.
    """
    scheme, token = credentials_in(request)
    user = user_of(token) if scheme == "bearer" else None
    if not _is_active_staff(user):
        raise AuthenticationFailed(UNAUTHORIZED)
    return user


@sensitive_variables("password")
def staff_member(request: HttpRequest, *, email: str, password: str) -> Any | None:
    """Who logs in; None if nobody may.

    A password is checked in any case, so that the time tells nobody which addresses are known.
    """
    found = _users_with(email)
    name = found[0].get_username() if found else ""
    user = authenticate(request, username=name, password=password)
    return user if [user] == found and _is_active_staff(user) else None


def _users_with(email: str) -> list[Any]:
    """Two are as good as many: nobody is let in where it is not clear who."""
    if not email.strip():
        return []  # users without an address are not all the same person
    model = get_user_model()
    return list(
        model._default_manager.filter(**{f"{model.get_email_field_name()}__iexact": email})[:2]
    )


def _is_active_staff(user: Any) -> bool:
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))


def _as_actor(user: Any) -> tuple[Any, Actor]:
    return user, Actor(actor_id(user), Door.ADMIN_API)
