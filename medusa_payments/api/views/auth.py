"""Logging in, for members of the staff."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.contrib.auth import login, logout
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api.bodies import Field, read_body
from medusa_payments.api.staff import bearer_of, staff_member
from medusa_payments.api.tokens import ACTOR_TYPE, actor_id, token_for
from medusa_payments.api.views.base import ApiView
from medusa_payments.errors import Unauthorized

CREDENTIALS = {
    "email": Field(type="string", is_required=True, max_length=254),  # as Django's own field
    "password": Field(type="string", is_required=True, max_length=4096),
}


class EmailPasswordLogin(ApiView):
    @sensitive_variables("body")
    def post(self, request: Request) -> Response:
        body = read_body(request, CREDENTIALS)
        user = staff_member(request._request, **body)
        if user is None:
            raise Unauthorized
        return Response({"token": token_for(user)})


class AuthSession(ApiView):
    """For front ends that keep a cookie instead of a token."""

    def post(self, request: Request) -> Response:
        user = bearer_of(request)
        # A token does not tell which backend knew the user; permissions are asked of all of them.
        login(request._request, user, backend=django_settings.AUTHENTICATION_BACKENDS[0])
        return Response({"user": {"actor_id": actor_id(user), "actor_type": ACTOR_TYPE}})

    def delete(self, request: Request) -> Response:
        logout(request._request)
        return Response({"success": True})
