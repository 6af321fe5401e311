"""Dead letters: deliveries that need a person, and the record of what people did with them."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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
    units = ArrayField(
        models.CharField(max_length=255),
        default=list,
        db_default=[],
        help_text="that the event's data names",
    )
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
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,  # deadletter_assignee serves
        help_text="who looks after it",
    )

    class Meta:
        indexes = [
            # The fallback queue, newest first, by group (groups.sql), and by who looks after it.
            models.Index(
                fields=["-died_at", "id"], condition=Q(state="open"), name="deadletter_open"
            ),
            models.Index(
                fields=["fingerprint", "-died_at"],
                condition=Q(state="open"),
                name="deadletter_group",
            ),
            models.Index(
                fields=["assignee", "-died_at"],
                condition=Q(state="open"),
                name="deadletter_assignee",
            ),
            # The list with decided ones, newest first.
            models.Index(fields=["-died_at", "id"], name="deadletter_all"),
            # The lists of open ones by handler, by reason, by category.
            *[
                models.Index(
                    fields=[field, "-died_at", "id"],
                    condition=Q(state="open"),
                    name=f"deadletter_{field}",
                )
                for field in ("handler", "reason", "category")
            ],
            # The list of those that were decided in one way.
            models.Index(
                fields=["state", "-died_at", "id"],
                condition=~Q(state="open"),
                name="deadletter_decided",
            ),
            # trend.sql: deaths by hour, also of those that are decided by now.
            models.Index(fields=["fingerprint", "died_at"], name="deadletter_trend"),
            # The dead letters of an event.
            models.Index(fields=["event_uid"], name="deadletter_event"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} → {self.handler}: {self.error_class}"


class BulkState(models.TextChoices):
    """Where a bulk action stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class BulkAction(models.Model):
    """One decision about many dead letters: a frozen choice, and how far it has come.

    Taken are the open ones of `filter` or of `ids` that died up to `cutoff`, the oldest first; the
    cursor is the last one taken. `skipped` were decided by somebody else meanwhile.
    """

    action = models.CharField(max_length=10)
    filter = models.JSONField(null=True)
    ids = ArrayField(models.UUIDField(), null=True)
    cutoff = models.DateTimeField(help_text="what died later is not part of it")
    note = models.TextField(blank=True)
    assignee_name = models.CharField(max_length=150, blank=True)
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=9, choices=BulkState, default=BulkState.RUNNING)
    stopped_because = models.CharField(max_length=200, blank=True)
    total = models.IntegerField(help_text="dead letters that were chosen at the start")
    done = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    cursor_died_at = models.DateTimeField(null=True)
    cursor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.action} {self.total} dead letters"


class Review(models.Model):
    """What a person did with a dead letter, and why. Rows are only ever added."""

    dead_letter = models.ForeignKey(DeadLetter, on_delete=models.CASCADE, related_name="reviews")
    action = models.CharField(
        max_length=10,
        choices=[(a, a) for a in ("retry", "correct", "discard", "assign", "comment")],
    )
    actor = models.CharField(max_length=150)
    note = models.TextField(blank=True)
    diff = models.JSONField(null=True, help_text="what a correction changed, by JSON pointer")
    at = models.DateTimeField()
    bulk = models.ForeignKey(
        BulkAction, on_delete=models.SET_NULL, null=True, related_name="reviews", db_index=False
    )

    class Meta:
        ordering = ["id"]


class QueueLevel(models.Model):
    """How high the queue stood when it was last looked at (`growing.py`); one row."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY)
    level = models.IntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_queue_level")]
