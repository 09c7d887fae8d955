"""Every choice of the example project comes from the environment; none is needed to start."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent


def _text(name: str, default: str = "") -> str:
    """An empty variable means the same as one that is not set."""
    return os.environ.get(name, "").strip() or default


def _flag(name: str, *, default: bool) -> bool:
    return _text(name, "1" if default else "0").lower() in ("1", "true", "yes", "on")


def _texts(name: str, default: str = "") -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(name, default).split(",") if part.strip())


def _numbers(**names: str) -> dict[str, float]:
    """The numbers that the environment names; the library's own defaults stand for the rest."""
    return {option: float(_text(name)) for option, name in names.items() if _text(name)}


# Django

DEBUG = _flag("DJANGO_DEBUG", default=True)
SECRET_KEY = _text("DJANGO_SECRET_KEY", "django-insecure-of-the-example-project-only")
ALLOWED_HOSTS = list(_texts("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver"))

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"

INSTALLED_APPS = [
    "example_project.shop",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "safedelete",
    "djstripe",
    "medusa_payments",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en-us"

STATIC_URL = "static/"
# Static files are served from where the apps keep them: nothing is collected before the start.
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}

# The page of the API's description. Its scripts come from a package, not from somebody's CDN.
SPECTACULAR_SETTINGS = {
    "DEFAULT_GENERATOR_CLASS": "medusa_payments.api.openapi.generator.PaymentsGenerator",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "docExpansion": "list"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "medusa_payments": {"handlers": ["console"], "level": "INFO"},
        # One line for each change, for machines: docs/health.md shows how to send them there.
        "medusa_payments.events": {"level": "WARNING"},
    },
}


# Database


def _database() -> dict[str, Any]:
    """Connections stay open, because a new one for each request costs PostgreSQL 4-8 ms of CPU."""
    url = _text("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
    database: dict[str, Any] = dict(
        dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)
    )
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith(".mysql"):
        _use_installed_mysql_driver()
        options.setdefault("charset", "utf8mb4")
        options.setdefault("sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION")
        database["TEST"] = {"CHARSET": "utf8mb4"}
    if database["ENGINE"].endswith(".sqlite3"):
        options.setdefault("timeout", 20)
    database["ATOMIC_REQUESTS"] = _flag("DJANGO_ATOMIC_REQUESTS", default=False)
    return database


def _use_installed_mysql_driver() -> None:
    """mysqlclient where it is installed, else PyMySQL (docs/decisions/0002-mariadb-driver.md)."""
    if find_spec("MySQLdb") is None:
        import pymysql

        pymysql.install_as_MySQLdb()


DATABASES = {"default": _database()}

# dj-stripe's own migrations take 50 s (docs/decisions/0003-dj-stripe-without-its-migrations.md).
MIGRATION_MODULES = {"djstripe": None}


# Stripe

STRIPE_SECRET_KEY = _text("STRIPE_SECRET_KEY", "sk_test_theExampleHasNoAccountOfItsOwn")
STRIPE_PUBLISHABLE_KEY = _text("STRIPE_PUBLISHABLE_KEY", "pk_test_the_example_has_no_account")
STRIPE_API_BASE = _text("STRIPE_API_BASE").rstrip("/")
STRIPE_JS_URL = _text(
    "STRIPE_JS_URL", f"{STRIPE_API_BASE}/v3/" if STRIPE_API_BASE else "https://js.stripe.com/v3/"
)

# Read by dj-stripe; nothing here makes it call Stripe before an event arrives at its own URL.
STRIPE_PUBLIC_KEY = STRIPE_PUBLISHABLE_KEY
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
if STRIPE_API_BASE:
    STRIPE_API_HOST = STRIPE_API_BASE
    SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]  # another API origin was asked for


# Celery

# Without a broker the sweep does the work of the workers.
CELERY_BROKER_URL = _text("CELERY_BROKER_URL")
CELERY_TASK_DEFAULT_QUEUE = _text("CELERY_TASK_DEFAULT_QUEUE", "celery")
_SWEEP_EVERY = float(_text("MEDUSA_SWEEP_EVERY", "10"))
CELERY_BEAT_SCHEDULE = {
    "reconcile payments": {
        "task": "medusa_payments.tasks.reconcile_due",
        "schedule": _SWEEP_EVERY,
        # While no worker runs, sweeps do not pile up.
        "options": {"expires": max(_SWEEP_EVERY, 60)},
    },
}


# medusa_payments

_STRIPE_OPTIONS: dict[str, Any] = {
    "API_KEY": STRIPE_SECRET_KEY,
    "PUBLISHABLE_KEY": STRIPE_PUBLISHABLE_KEY,
    "CAPTURE": _text("STRIPE_CAPTURE", "manual"),
    **_numbers(READ_TIMEOUT="STRIPE_READ_TIMEOUT", TOTAL_BUDGET="STRIPE_TOTAL_BUDGET"),
}
if STRIPE_API_BASE:
    _STRIPE_OPTIONS["API_BASE"] = STRIPE_API_BASE
if _texts("STRIPE_WEBHOOK_SECRET"):
    _STRIPE_OPTIONS["WEBHOOK_SECRETS"] = _texts("STRIPE_WEBHOOK_SECRET")
if _text("STRIPE_ACCOUNT_ID"):
    _STRIPE_OPTIONS["ACCOUNT_ID"] = _text("STRIPE_ACCOUNT_ID")

MEDUSA_PAYMENTS: dict[str, Any] = {
    "PROVIDERS": {
        "pp_stripe_stripe": {
            "BACKEND": "medusa_payments.providers.stripe.StripeProvider",
            "OPTIONS": _STRIPE_OPTIONS,
        },
        "pp_system_default": {"BACKEND": "medusa_payments.providers.system.SystemProvider"},
    },
    "CART_RESOLVER": "example_project.shop.carts.resolve_cart",
    "PUBLISHABLE_KEYS": _texts("MEDUSA_PUBLISHABLE_KEY", "pk_demo"),
    # A well-known key that moves money must not exist outside of development.
    "SECRET_KEYS": _texts("MEDUSA_ADMIN_API_KEY", "sk_demo" if DEBUG else ""),
    "STORE_CORS": _texts("MEDUSA_STORE_CORS"),
    "ADMIN_CORS": _texts("MEDUSA_ADMIN_CORS"),
    "AUTH_CORS": _texts("MEDUSA_AUTH_CORS"),
    "DEFAULT_CURRENCY": _text("MEDUSA_DEFAULT_CURRENCY").lower(),
    "WEBHOOK_APPLY": _text("MEDUSA_WEBHOOK_APPLY", "inline"),
    "WORKER": "celery" if CELERY_BROKER_URL else "",
    **_numbers(NOT_FOUND_HORIZON="MEDUSA_NOT_FOUND_HORIZON", LEASE_SECONDS="MEDUSA_LEASE_SECONDS"),
}
