"""dj-stripe is installed beside us, but a shop need not have it among its apps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

_SETTINGS = """
SECRET_KEY = "of nobody"
USE_TZ = True
ROOT_URLCONF = "medusa_payments.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "safedelete",
    "medusa_payments",
]
MEDUSA_PAYMENTS = {
    "PROVIDERS": {
        "pp_stripe_stripe": {
            "BACKEND": "medusa_payments.providers.stripe.StripeProvider",
            "OPTIONS": {"API_KEY": "sk_test_of_nobody", "WEBHOOK_SECRETS": ("whsec_of_nobody",)},
        },
    },
    "SECRET_KEYS": ("sk_of_nobody",),
}
"""

_SHOP = """
import sys
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check")
call_command("migrate", verbosity=0)
answer = Client(headers={"host": "localhost"}).post("/hooks/payment/pp_stripe_stripe")
assert answer.status_code == 400, answer.status_code
call_command("reconcile_payments")
assert "djstripe" not in sys.modules
"""


def test_a_shop_without_dj_stripe_imports_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "bare_settings.py").write_text(_SETTINGS)

    done = subprocess.run(
        [sys.executable, "-c", _SHOP],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bare_settings",
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{_ROOT}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
