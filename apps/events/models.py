"""What happened in a tenant: the event log, finished deliveries, attempts worth telling, replays."""

from django.db import models
from django.db.models import Q

from pms_events.categories import Category, Priority


class Event(models.Model):
    """An immutable fact in its CloudEvents envelope. Rows are written once."""

    uid = models.UUIDField(primary_key=True)
    event_id = models.CharField("id", max_length=255)
    source = models.CharField(max_length=255)
    type = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, blank=True)
    category = models.CharField(max_length=16, choices=[(c.value, c.value) for c in Category])
    priority = models.SmallIntegerField(choices=[(p.value, p.name) for p in Priority])
    stream = models.CharField(max_length=255)
    time = models.DateTimeField(help_text="when it happened, as its publisher says")
    time_was_given = models.BooleanField(default=True)
    data = models.JSONField()
    extensions = models.JSONField(default=dict)
    body_hash = models.BinaryField(max_length=32)
    recorded_at = models.DateTimeField(help_text="when it was stored here")
    causation = models.UUIDField(null=True, help_text="the event that led to this one")

    class Meta:
        constraints = [
            # Guarantee 4: duplicates are refused here, never by looking first.
            models.UniqueConstraint(fields=["source", "event_id"], name="one_event_per_source_id")
        ]
        indexes = [
            # The log by the filters of GET /api/v1/events. Uids grow with the time of recording, so
            # the primary key is the order of the log, and the bounds of a time are bounds of uids.
            models.Index(fields=["type", "uid"], name="event_type_log"),
            models.Index(fields=["subject", "uid"], name="event_subject_log"),
            models.Index(
                fields=["causation"], condition=Q(causation__isnull=False), name="event_causation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class DeliveryState(models.TextChoices):
    """How a delivery ended."""

    DONE = "done"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"
    DEAD = "dead"


class Delivery(models.Model):
    """A finished delivery: what a handler made of an event. Same id as while it was pending."""

    id = models.BigIntegerField(primary_key=True)
    event_uid = models.UUIDField()
    handler = models.CharField(max_length=100)
    target = models.CharField(max_length=64, blank=True)
    category = models.CharField(max_length=16)
    state = models.CharField(max_length=10, choices=DeliveryState)
    attempts = models.IntegerField()
    failures = models.IntegerField()
    crashes = models.IntegerField()
    accepted_at = models.DateTimeField()
    started_at = models.DateTimeField(help_text="start of the last attempt")
    finished_at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)
    replay_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            # The deliveries of an event.
            models.Index(fields=["event_uid"], name="delivery_event"),
            # The log by state: what went wrong or was given up. Work that ends well is not in it.
            models.Index(
                fields=["state", "event_uid"],
                condition=Q(state__in=["dead", "discarded"]),
                name="delivery_log_state",
            ),
            # What became of a replay's deliveries.
            models.Index(
                fields=["replay_id", "state"],
                condition=Q(replay_id__isnull=False),
                name="delivery_replay",
            ),
        ]


class Attempt(models.Model):
    """An attempt that did not end its delivery well: retried, snoozed or dead, and why."""

    delivery_id = models.BigIntegerField()
    event_uid = models.UUIDField()
    number = models.IntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    verdict = models.CharField(max_length=8)
    due_at = models.DateTimeField(null=True)
    error_class = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        indexes = [
            # The attempts of a delivery, and of all deliveries of an event.
            models.Index(fields=["delivery_id", "number"], name="attempt_delivery"),
            models.Index(fields=["event_uid"], name="attempt_event"),
        ]


class ReplayState(models.TextChoices):
    """Where a replay stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class Replay(models.Model):
    """Logged events delivered again: a frozen filter and how far it has come."""

    filter = models.JSONField()
    handlers = models.JSONField(null=True)
    include_external = models.BooleanField(default=False)
    rate = models.IntegerField(null=True, help_text="events a second; empty: as fast as it goes")
    state = models.CharField(max_length=9, choices=ReplayState, default=ReplayState.RUNNING)
    total = models.IntegerField(help_text="events that the filter matched at the start")
    replayed = models.IntegerField(default=0)
    cutoff = models.DateTimeField(help_text="events recorded later are not part of it")
    cursor_uid = models.UUIDField(null=True)
    requested_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    preview = models.UUIDField(
        null=True, unique=True, help_text="the preview it was started from: two clicks start one"
    )

    def __str__(self) -> str:
        return f"Replay {self.pk}"


class ReplayNote(models.Model):
    """What somebody did with a replay after its start. Rows are only ever added."""

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="notes")
    action = models.CharField(max_length=6, choices=[(a, a) for a in ("pause", "resume", "cancel")])
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
