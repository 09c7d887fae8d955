"""A small shop that shows medusa_payments at work. The environment sets everything about it."""

import os

# Without a broker nothing needs Celery. With one, all who hand work over must know the app.
if os.environ.get("CELERY_BROKER_URL", "").strip():
    from example_project.celery import app as celery_app

    __all__ = ["celery_app"]
