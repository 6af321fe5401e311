"""Endpoints that receive a tenant's events, and the exchanges with them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.sync.receivers import describe_status, host_of, is_mail


def all_events() -> list[str]:
    """The patterns of an endpoint that names none: whatever happens."""
    return ["*"]


class Endpoint(models.Model):
    """A tenant's receiver. Its id is the target of deliveries. Secrets are encrypted at rest.

    Change it through `operations` only: they check it and keep the router's subscription in step.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField("URL", max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    patterns = ArrayField(
        models.CharField(max_length=255),
        default=all_events,
        help_text="event types it receives, such as booking.created, booking.* or *",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    disabled_reason = models.CharField(max_length=300, blank=True)
    secret = models.BinaryField(editable=False)
    previous_secret = models.BinaryField(null=True, editable=False)
    previous_valid_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(patterns__len__gt=0), name="endpoint_has_patterns"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        """The receiver's host and port, or mail address: a URL's path may be a secret."""
        return host_of(self.url)


NOT_TAKEN = Q(status=None) | Q(status__lt=200) | Q(status__gte=300)
"""Exchanges whose receiver did not say that it has the event."""


class Exchange(models.Model):
    """Request and response of one attempt at an endpoint, cut short and without secrets.

    `delivery_id` is None for a test. `status` is None when no answer came.
    """

    # The index below serves the foreign key too.
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="exchanges", db_index=False
    )
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
            # The admin's list of those that were refused or got no answer: few among many.
            models.Index(fields=["-id"], condition=NOT_TAKEN, name="exchange_not_taken"),
            # What an event's deliveries said to the outside.
            models.Index(fields=["event_uid"], name="exchange_event"),
        ]

    def __str__(self) -> str:
        if is_mail(self.url):
            said = describe_status(self.url, self.status) if self.status else "no answer"
            return f"mail to {host_of(self.url)}: {said}"
        return f"{self.status or 'no answer'} from {host_of(self.url)}"

    @property
    def is_taken(self) -> bool:
        """Whether the receiver said that it has the event. Its status decides, not its body."""
        return self.status is not None and 200 <= self.status < 300
