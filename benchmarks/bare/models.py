"""What a shop would keep that keeps the least."""

from django.db import models


class BareSession(models.Model):
    amount = models.BigIntegerField()
    intent_id = models.CharField(max_length=255, default="")


class BareEvent(models.Model):
    event_id = models.CharField(max_length=255, unique=True)
    payload = models.JSONField()
