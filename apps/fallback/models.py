"""Dead letters: deliveries that need a person, and the record of what people did with them."""

import uuid

from django.db import models
from django.db.models import Q

from pms_events.verdicts import Reason


class DeadLetterState(models.TextChoices):
    """Where a dead letter stands. Only an open one can be acted on."""

    OPEN = "open", "needs a person"
    RETRYING = "retrying", "being retried"
    RESOLVED = "resolved", "resolved by a retry"
    CORRECTED = "corrected", "corrected by a new event"
    DISCARDED = "discarded", "discarded"


class DeadLetter(models.Model):
    """A delivery that needs a person, with the reason. One a delivery; a later death reopens it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    delivery_id = models.BigIntegerField(unique=True)
    event_uid = models.UUIDField()
    event_type = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, blank=True)
    stream = models.CharField(max_length=255, null=True)
    handler = models.CharField(max_length=100)
    target = models.CharField(max_length=64, blank=True)
    category = models.CharField(max_length=16)
    priority = models.SmallIntegerField(default=2)
    reason = models.CharField(max_length=12, choices=[(r.value, r.value) for r in Reason])
    error_class = models.CharField(max_length=200)
    message = models.TextField()
    traceback = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=16)
    attempts = models.IntegerField()
    failures = models.IntegerField()
    crashes = models.IntegerField()
    deaths = models.IntegerField(default=1)
    accepted_at = models.DateTimeField()
    died_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=DeadLetterState, default=DeadLetterState.OPEN)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=150, blank=True)
    note = models.TextField(blank=True)
    correction_uid = models.UUIDField(null=True, help_text="the corrected event")

    class Meta:
        indexes = [
            # The fallback queue, newest first, and by group.
            models.Index(
                fields=["-died_at", "id"], condition=Q(state="open"), name="deadletter_open"
            ),
            models.Index(
                fields=["fingerprint", "-died_at"],
                condition=Q(state="open"),
                name="deadletter_group",
            ),
            # The dead letters of an event.
            models.Index(fields=["event_uid"], name="deadletter_event"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} → {self.handler}: {self.error_class}"


class Review(models.Model):
    """What a person did with a dead letter, and why. Rows are only ever added."""

    dead_letter = models.ForeignKey(DeadLetter, on_delete=models.CASCADE, related_name="reviews")
    action = models.CharField(
        max_length=10, choices=[(a, a) for a in ("retry", "correct", "discard")]
    )
    actor = models.CharField(max_length=150)
    note = models.TextField(blank=True)
    diff = models.JSONField(null=True, help_text="what a correction changed, by JSON pointer")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
