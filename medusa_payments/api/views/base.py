"""What all routes share. Nothing of it depends on the shop's own settings of DRF."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, cast

from django.db import connections
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medusa_payments.api.authentication import (
    PublishableKeyAuthentication,
    SecretKeyAuthentication,
)
from medusa_payments.api.errors import answer_to_error
from medusa_payments.api.keyed_posts import KeyedPosts
from medusa_payments.api.openapi import view_schema
from medusa_payments.api.permissions import RoutePermission
from medusa_payments.api.renderers import AlwaysJson, JsonRenderer
from medusa_payments.api.staff import StaffSessionAuthentication, StaffTokenAuthentication
from medusa_payments.errors import NotFound
from medusa_payments.operations.actors import Actor


class ApiView(APIView):
    """Runs outside of ``ATOMIC_REQUESTS``: a rollback would erase the record of moved money."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    throttle_classes = ()
    parser_classes = ()
    renderer_classes = (JsonRenderer,)
    content_negotiation_class = AlwaysJson
    versioning_class = None
    schema = view_schema()
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "delete"]  # type: ignore[misc]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        for alias in connections:
            non_atomic_requests(using=alias)(view)
        return view

    @property
    def actor(self) -> Actor:
        return cast("Actor", self.request.auth)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return answer_to_error

    def http_method_not_allowed(
        self, request: HttpRequest | Request, *args: Any, **kwargs: Any
    ) -> NoReturn:
        raise NotFound(f"Cannot {request.method} {request.path}")


class StoreView(KeyedPosts, ApiView):
    authentication_classes = (PublishableKeyAuthentication,)


class AdminView(KeyedPosts, ApiView):
    authentication_classes = (
        SecretKeyAuthentication,
        StaffTokenAuthentication,
        StaffSessionAuthentication,
    )
    permission_classes = (RoutePermission,)
    # Method -> codename of the Django permission that a user needs for it; a secret key needs none.
    permission: ClassVar[Mapping[str, str]] = {}


class UnknownRoute(ApiView):
    http_method_names: ClassVar[list[str]] = []  # type: ignore[misc]
