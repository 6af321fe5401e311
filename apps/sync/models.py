"""Endpoints that receive a tenant's events, and the exchanges with them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Endpoint(models.Model):
    """A tenant's receiver. Its id is the target of deliveries. Secrets are encrypted at rest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.URLField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    patterns = ArrayField(models.CharField(max_length=255), help_text="event types it receives")
    is_enabled = models.BooleanField("enabled", default=True)
    disabled_reason = models.CharField(max_length=300, blank=True)
    secret = models.BinaryField(editable=False)
    previous_secret = models.BinaryField(null=True, editable=False)
    previous_valid_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.url


class Exchange(models.Model):
    """Request and response of one attempt at an endpoint, cut short and without secrets."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="exchanges")
    delivery_id = models.BigIntegerField(null=True)
    event_uid = models.UUIDField(null=True)
    attempt = models.IntegerField(default=1)
    started_at = models.DateTimeField()
    duration_ms = models.IntegerField()
    url = models.CharField(max_length=2000)
    request_headers = models.JSONField()
    request_body = models.TextField()
    status = models.IntegerField(null=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            # GET endpoints/{id}/exchanges: newest first.
            models.Index(fields=["endpoint", "-id"], name="exchange_endpoint"),
            # What an event's deliveries said to the outside.
            models.Index(fields=["event_uid"], name="exchange_event"),
        ]
