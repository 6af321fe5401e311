"""The naive program's one table."""

from django.db import models


class NaiveEvent(models.Model):
    """An event and whether it was processed."""

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    data = models.JSONField()
    status = models.CharField(max_length=10, default="new")
    created_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "naive"
