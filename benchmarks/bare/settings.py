"""The example project, and beside it the least that a shop could write by hand."""

from example_project.settings import *  # noqa: F403
from example_project.settings import INSTALLED_APPS, MIGRATION_MODULES

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.bare"]
MIGRATION_MODULES = {**MIGRATION_MODULES, "bare": None}
ROOT_URLCONF = "benchmarks.bare.urls"
