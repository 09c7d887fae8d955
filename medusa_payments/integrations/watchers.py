"""Those who watch requests to providers, as far as their packages are installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

# A module of ours, and the package that it needs.
_WATCHERS = {"prometheus": "prometheus_client", "opentelemetry": "opentelemetry.trace"}


def connect() -> None:
    for module, needed in _WATCHERS.items():
        if _is_installed(needed):
            import_module(f"medusa_payments.integrations.{module}").connect()


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even what it is a part of
        return False
