"""What a member of the staff may do: each admin view names a Django permission for each method.

A secret key belongs to the shop's server and may do everything. What takes money needs the
permission to capture, by whatever route.
"""

from __future__ import annotations

from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from medusa_payments.api.authentication import UNAUTHORIZED, SecretKeyAuthentication
from medusa_payments.errors import ConfigurationError

_APP = "medusa_payments"
CAPTURE = f"{_APP}.capture_payment"


class RoutePermission(BasePermission):
    """Asked before any row is looked up, so that a refusal does not tell which ids exist."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """
        :raises AuthenticationFailed: nobody has shown who asks.
        :raises PermissionDenied: the user may not do this.
        :raises ConfigurationError: the view does not say what its method needs.
        """
        if request.auth is None:
            raise AuthenticationFailed(UNAUTHORIZED)
        needed = permission_for(type(view), str(request.method))
        if needed and not is_permitted(request, needed):
            raise lacking(needed)
        return True


def is_permitted(request: Request, needed: str) -> bool:
    """Whether whoever asks holds the permission; a secret key holds them all."""
    is_key = isinstance(request.successful_authenticator, SecretKeyAuthentication)
    return is_key or bool(request.user.has_perm(needed))


def lacking(needed: str) -> PermissionDenied:
    return PermissionDenied(f"This needs the permission {needed}, which you do not have.")


def permission_for(view: type[APIView], method: str) -> str:
    """The permission that the view's method needs; empty for a method that it does not serve."""
    name = "get" if method == "HEAD" else method.lower()
    if name not in view.http_method_names or not hasattr(view, name):
        return ""
    declared: dict[str, str] = getattr(view, "permission", {})
    if name not in declared:
        raise ConfigurationError(
            f"{view.__name__} serves {method} and names no permission for it: add"
            f' permission = {{"{name}": "<codename>"}} to the view.'
        )
    return f"{_APP}.{declared[name]}"
