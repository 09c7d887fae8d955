"""The package as it is installed, and the example project as its environment sets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

import medusa_payments

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

_PRINT_SETTINGS = """
import json
from django.conf import settings
names = ("DATABASES", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "STRIPE_JS_URL", "MEDUSA_PAYMENTS")
print(json.dumps({name: getattr(settings, name) for name in (*names, "CELERY_BROKER_URL")}))
"""


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def settings_of(**environment: str) -> dict[str, Any]:
    """The example's settings in a process that has only this environment."""
    environment = {"DJANGO_SETTINGS_MODULE": "example_project.settings"} | environment
    done = run("-c", _PRINT_SETTINGS, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# The package


def test_a_wheel_holds_the_types_marker_and_every_file_of_the_package(tmp_path):
    pytest.importorskip("hatchling", reason="only where hatchling is installed")
    done = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr

    (wheel,) = tmp_path.glob("medusa_payments-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())

    assert medusa_payments.__version__ in wheel.name
    assert "medusa_payments/py.typed" in packed
    package = ROOT / "medusa_payments"
    files = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {path for path in files if "__pycache__" not in path} <= packed
    assert not [name for name in packed if name.startswith(("tests", "example_project"))]


def test_the_layers_hold():
    linter = pytest.importorskip("importlinter.cli", reason="only where import-linter is installed")

    assert linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_bound_of_a_runtime_dependency_has_its_reason():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in PYPROJECT["project"]["dependencies"]:
        place = lines.index(f'    "{requirement}",')
        assert lines[place - 1].lstrip().startswith("#"), requirement


# The example project


def test_manage_py_checks_clean_from_any_directory(tmp_path):
    done = run(
        str(ROOT / "manage.py"),
        "check",
        "--fail-level=INFO",
        cwd=tmp_path,
        DATABASE_URL=f"sqlite:///{tmp_path / 'shop.sqlite3'}",
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_migrate_makes_every_table_from_nothing_without_calling_stripe(tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    manage = str(ROOT / "manage.py")
    nowhere = "http://127.0.0.1:9"

    migrated = run(manage, "migrate", "-v0", DATABASE_URL=url, STRIPE_API_BASE=nowhere)
    inspected = run(
        "-c",
        "import django; django.setup()\n"
        "from django.apps import apps; from django.db import connection\n"
        "tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}\n"
        "print(sorted(tables - set(connection.introspection.table_names())))",
        DATABASE_URL=url,
        DJANGO_SETTINGS_MODULE="example_project.settings",
    )

    assert migrated.returncode == 0, migrated.stderr
    assert inspected.stdout.strip() == "[]", inspected.stderr


@pytest.mark.slow
def test_one_app_can_still_be_migrated_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    manage = str(ROOT / "manage.py")

    there = run(manage, "migrate", "medusa_payments", "-v0", DATABASE_URL=url)
    back = run(manage, "migrate", "medusa_payments", "zero", "-v0", DATABASE_URL=url)

    assert there.returncode == 0, there.stderr
    assert back.returncode == 0, back.stderr


@pytest.mark.parametrize("debug", [True, False])
def test_static_files_are_served_uncollected(client, settings, debug):
    settings.DEBUG = debug

    response = client.get("/static/admin/css/base.css")

    assert response.status_code == 200


@pytest.mark.django_db
def test_the_shop_answers(client):
    assert client.get("/").status_code == 200


def test_nothing_need_be_set():
    found = settings_of()
    payments = found["MEDUSA_PAYMENTS"]

    assert found["DATABASES"]["default"]["NAME"] == str(ROOT / "db.sqlite3")
    assert found["DATABASES"]["default"]["CONN_MAX_AGE"] == 60
    assert found["DATABASES"]["default"]["CONN_HEALTH_CHECKS"] is True
    assert found["DATABASES"]["default"]["ATOMIC_REQUESTS"] is False
    assert found["STRIPE_JS_URL"] == "https://js.stripe.com/v3/"
    assert set(payments["PROVIDERS"]) == {"pp_stripe_stripe", "pp_system_default"}
    assert payments["WEBHOOK_APPLY"] == "inline"
    stripe = payments["PROVIDERS"]["pp_stripe_stripe"]["OPTIONS"]
    assert stripe["CAPTURE"] == "manual"
    assert not {"API_BASE", "ACCOUNT_ID", "READ_TIMEOUT", "TOTAL_BUDGET"} & set(stripe)


def test_no_key_to_the_admin_api_is_known_to_everybody_once_debug_is_off():
    assert settings_of(DJANGO_DEBUG="0")["MEDUSA_PAYMENTS"]["SECRET_KEYS"] == []


@pytest.mark.parametrize(
    ("url", "engine", "name"),
    [
        ("sqlite:////somewhere/shop.sqlite3", "sqlite3", "/somewhere/shop.sqlite3"),
        ("postgres://me:pw@db.example:5433/shop", "postgresql", "shop"),
        ("mysql://me:pw@db.example:3307/shop", "mysql", "shop"),
    ],
)
def test_database_url_picks_the_database(url, engine, name):
    if engine == "mysql":
        pytest.importorskip("pymysql", reason="only where the extra mysql is installed")

    database = settings_of(DATABASE_URL=url)["DATABASES"]["default"]

    assert database["ENGINE"] == f"django.db.backends.{engine}"
    assert database["NAME"] == name
    assert engine != "mysql" or "STRICT" in database["OPTIONS"]["sql_mode"]


ENVIRONMENT = {
    "DJANGO_SECRET_KEY": "secret",
    "DJANGO_DEBUG": "0",
    "DJANGO_ALLOWED_HOSTS": "a.example, b.example",
    "DJANGO_ATOMIC_REQUESTS": "1",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1,whsec_2",
    "STRIPE_API_BASE": "http://a.example:9210/",
    "STRIPE_ACCOUNT_ID": "acct_1",
    "STRIPE_CAPTURE": "automatic",
    "STRIPE_READ_TIMEOUT": "0.5",
    "STRIPE_TOTAL_BUDGET": "2.5",
    "MEDUSA_WEBHOOK_APPLY": "deferred",
    "MEDUSA_LEASE_SECONDS": "2.5",
    "MEDUSA_PUBLISHABLE_KEY": "pk_1",
    "MEDUSA_ADMIN_API_KEY": "sk_1",
    "MEDUSA_STORE_CORS": "https://a.example, https://b.example",
    "MEDUSA_ADMIN_CORS": "https://c.example",
    "MEDUSA_AUTH_CORS": "https://c.example",
    "MEDUSA_NOT_FOUND_HORIZON": "0",
    "MEDUSA_DEFAULT_CURRENCY": "EUR",
    "CELERY_BROKER_URL": "redis://a.example",
}


@pytest.fixture(scope="module")
def all_set() -> dict[str, Any]:
    return settings_of(**ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SECRET_KEY", "secret"),
        ("DEBUG", False),
        ("ALLOWED_HOSTS", ["a.example", "b.example"]),
        ("STRIPE_JS_URL", "http://a.example:9210/v3/"),
        ("CELERY_BROKER_URL", "redis://a.example"),
    ],
)
def test_environment_sets_django(all_set, name, expected):
    assert all_set[name] == expected


def test_atomic_requests_can_be_switched_on(all_set):
    assert all_set["DATABASES"]["default"]["ATOMIC_REQUESTS"] is True


def test_stripe_js_can_come_from_elsewhere():
    found = settings_of(STRIPE_API_BASE="http://a.example", STRIPE_JS_URL="http://b.example/js")

    assert found["STRIPE_JS_URL"] == "http://b.example/js"


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("API_KEY", "sk_test_1"),
        ("PUBLISHABLE_KEY", "pk_test_1"),
        ("WEBHOOK_SECRETS", ["whsec_1", "whsec_2"]),
        ("API_BASE", "http://a.example:9210"),
        ("ACCOUNT_ID", "acct_1"),
        ("CAPTURE", "automatic"),
        ("READ_TIMEOUT", 0.5),
        ("TOTAL_BUDGET", 2.5),
    ],
)
def test_environment_sets_stripe(all_set, option, expected):
    stripe = all_set["MEDUSA_PAYMENTS"]["PROVIDERS"]["pp_stripe_stripe"]

    assert stripe["OPTIONS"][option] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("WEBHOOK_APPLY", "deferred"),
        ("LEASE_SECONDS", 2.5),
        ("PUBLISHABLE_KEYS", ["pk_1"]),
        ("SECRET_KEYS", ["sk_1"]),
        ("STORE_CORS", ["https://a.example", "https://b.example"]),
        ("ADMIN_CORS", ["https://c.example"]),
        ("AUTH_CORS", ["https://c.example"]),
        ("NOT_FOUND_HORIZON", 0.0),
        ("DEFAULT_CURRENCY", "eur"),
    ],
)
def test_environment_sets_medusa_payments(all_set, name, expected):
    assert all_set["MEDUSA_PAYMENTS"][name] == expected


def test_every_name_in_the_examples_settings_is_one_of_ours():
    from medusa_payments.settings import unknown_names

    assert settings.MEDUSA_PAYMENTS
    assert unknown_names() == []
