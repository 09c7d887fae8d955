"""Members of the shop's staff, and how their requests show who they are."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User

PASSWORD = "correct horse"


def member(*codenames: str, email: str = "clerk@example.com", **options: Any) -> User:
    """An active member of the staff with these permissions of ours, and no password: to hash one
    takes a quarter of a second."""
    options = {"username": email, "is_staff": True, "password": None, **options}
    user = User.objects.create_user(email=email, **options)
    found = Permission.objects.filter(
        content_type__app_label="medusa_payments", codename__in=codenames
    )
    assert found.count() == len(codenames)
    user.user_permissions.add(*found)
    return user


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
