"""The two hot tables, and whose turn it is. Ids, types and times; never content.

The hot tables have no foreign keys: a key to the tenant would cost a look-up and a row lock for
each of a million rows, and whoever works a row has to cope with a deleted tenant anyway.
"""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from pms_events.categories import Category, Priority


class Lane(models.IntegerChoices):
    """Live traffic, or bulk work (replays, imports) that runs behind it."""

    LIVE = 0
    BULK = 1


class State(models.TextChoices):
    """Where an unfinished delivery stands."""

    WAITING = "waiting", "waiting behind the head of its stream"
    SCHEDULED = "scheduled", "due later"
    READY = "ready", "ready"
    RUNNING = "running", "running under a lease"
    PAUSED = "paused", "paused, or over a limit"
    HELD = "held", "dead, holding its stream until a person decides"


class Arrival(models.Model):
    """The mark that an event is accepted and not yet routed. Its id is the order of acceptance."""

    tenant_id = models.IntegerField()
    event_uid = models.UUIDField()
    type = models.CharField(max_length=255)
    stream = models.CharField(max_length=255)
    accepted_at = models.DateTimeField()
    lane = models.SmallIntegerField(choices=Lane, default=Lane.LIVE)
    handlers = ArrayField(models.CharField(max_length=100), null=True)
    target = models.CharField(max_length=64, default="")
    include_external = models.BooleanField(default=True)
    replay_id = models.BigIntegerField(null=True)
    # A correction takes the place of this delivery in the streams that it goes to.
    place = models.BigIntegerField(null=True)


class PendingDelivery(models.Model):
    """One event owed to one handler and target, not finished. The unit of claim, retry and order.

    `due_at` is when it is due, and stays when it is: since then it waits. Empty: since `accepted_at`.
    `turn` is its place in the fair order of its category and lane. `stream` is null for handlers
    without order. `lease` is the token under which a worker may settle it. `cap_id` names what
    keeps it paused. Within a stream the order is that of ids; `place` is the id it stands in for.
    """

    tenant_id = models.IntegerField()
    event_uid = models.UUIDField()
    handler = models.CharField(max_length=100)
    target = models.CharField(max_length=64, default="")
    stream = models.CharField(max_length=255, null=True)
    category = models.CharField(max_length=16, choices=[(c.value, c.value) for c in Category])
    priority = models.SmallIntegerField(choices=[(p.value, p.name) for p in Priority])
    lane = models.SmallIntegerField(choices=Lane, default=Lane.LIVE)
    state = models.CharField(max_length=9, choices=State)
    turn = models.FloatField()
    due_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    crashes = models.IntegerField(default=0)
    accepted_at = models.DateTimeField()
    include_external = models.BooleanField(default=True)
    replay_id = models.BigIntegerField(null=True)
    is_redriven = models.BooleanField(default=False)
    cap_id = models.BigIntegerField(null=True)
    place = models.BigIntegerField(null=True)
    # A delivery that was claimed when its worker died runs alone from then on; only a crash while
    # it was alone is counted against it, so that poison does not take its neighbours with it.
    runs_alone = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "pending deliveries"
        constraints = [
            # One at a time and in order: a stream never has two deliveries that may run.
            models.UniqueConstraint(
                fields=["tenant_id", "handler", "target", "stream"],
                condition=~Q(state="waiting") & Q(stream__isnull=False),
                name="one_active_per_stream",
            ),
            models.CheckConstraint(
                condition=Q(state="running", lease__isnull=False, lease_until__isnull=False)
                | (~Q(state="running") & Q(lease__isnull=True)),
                name="running_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(due_at__isnull=False),
                name="scheduled_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="paused", cap_id__isnull=False)
                | (~Q(state="paused") & Q(cap_id__isnull=True)),
                name="paused_has_a_cap",
            ),
        ]
        indexes = [
            # claim.sql: the fair order; rows that a claim would have to skip are not in it.
            models.Index(
                fields=["category", "lane", "turn", "tenant_id"],
                condition=Q(state="ready"),
                name="pending_ready",
            ),
            # promote.sql: who is next in a stream.
            models.Index(
                "tenant_id",
                "handler",
                "target",
                "stream",
                Coalesce("place", "id"),
                condition=Q(state="waiting"),
                name="pending_waiting",
            ),
            # paused_caps.sql, unpark.sql: what each cap keeps back.
            models.Index(
                fields=["cap_id", "turn"], condition=Q(state="paused"), name="pending_paused"
            ),
            # make_due.sql
            models.Index(
                fields=["due_at"], condition=Q(state="scheduled"), name="pending_scheduled"
            ),
            # expired.sql
            models.Index(
                fields=["lease_until"], condition=Q(state="running"), name="pending_running"
            ),
            # get_pending_of: what an event still owes.
            models.Index(fields=["event_uid"], name="pending_event"),
        ]

    @property
    def runs_again_at(self) -> datetime | None:
        """When it is due, if that is not yet so: only what is scheduled waits for a time."""
        return self.due_at if self.state == State.SCHEDULED else None


class TenantTurn(models.Model):
    """The last turn given to a tenant at a priority; written by the router alone."""

    category = models.CharField(max_length=16)
    lane = models.SmallIntegerField()
    tenant_id = models.IntegerField()
    priority = models.SmallIntegerField()
    last_turn = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["category", "lane", "tenant_id", "priority"], name="one_turn_per_tenant"
            )
        ]
        indexes = [
            # turns.sql: where the clock of an empty category stands.
            models.Index(fields=["category", "lane", "-last_turn"], name="turn_latest"),
        ]
