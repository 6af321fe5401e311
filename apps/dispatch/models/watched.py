"""How things go: what each category settled, what stands still, what an operator's task does next."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class RefusedDelivery(models.Model):
    """A delivery whose tenant does not exist or is gone: kept here, run nowhere."""

    delivery_id = models.BigIntegerField(primary_key=True)
    tenant_id = models.IntegerField()
    event_uid = models.UUIDField()
    handler = models.CharField(max_length=100)
    reason = models.CharField(max_length=200)
    refused_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "refused deliveries"


class Chore(models.Model):
    """A long operator task that must survive restarts: which tenant's, which row, when next."""

    tenant_id = models.IntegerField()
    kind = models.CharField(max_length=16, choices=[(k, k) for k in ("replay", "bulk_action")])
    ref = models.BigIntegerField()
    due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "kind", "ref"], name="one_chore")
        ]
        indexes = [
            # get_due_chores
            models.Index(fields=["due_at"], name="chore_due")
        ]


class Progress(models.Model):
    """How far each category has come: one row a category and minute, added to once a batch."""

    category = models.CharField(max_length=16)
    minute = models.DateTimeField()
    worker = models.CharField(max_length=32)
    done = models.IntegerField(default=0)
    retried = models.IntegerField(default=0)
    dead = models.IntegerField(default=0)
    discarded = models.IntegerField(default=0)
    superseded = models.IntegerField(default=0)
    last_at = models.DateTimeField(null=True, help_text="when this worker last settled something")

    class Meta:
        constraints = [
            # One row a worker process, so that workers never wait for each other's counters.
            models.UniqueConstraint(
                fields=["category", "minute", "worker"], name="one_progress_row"
            )
        ]
        indexes = [models.Index(fields=["minute"], name="progress_minute")]


class TenantProgress(models.Model):
    """What a tenant's deliveries came to: one row a category, five minutes and worker process.

    Added to once a batch; read by the live view alone, and kept for a day.
    """

    tenant_id = models.IntegerField()
    category = models.CharField(max_length=16)
    bucket = models.DateTimeField(help_text="when its five minutes begin")
    worker = models.CharField(max_length=32)
    done = models.IntegerField(default=0)
    retried = models.IntegerField(default=0)
    dead = models.IntegerField(default=0)
    discarded = models.IntegerField(default=0)
    superseded = models.IntegerField(default=0)

    class Meta:
        constraints = [
            # One row a worker process, as above. It serves get_tenant_history too.
            models.UniqueConstraint(
                fields=["tenant_id", "bucket", "category", "worker"],
                name="one_tenant_progress_row",
            )
        ]
        indexes = [
            # get_failing, prune_progress
            models.Index(fields=["bucket"], name="tenant_progress_bucket")
        ]


class BacklogSample(models.Model):
    """How many deliveries of a tenant, category and state there were when the sweep last counted.

    Replaced as a whole, so that no screen counts a hot table. `Pulse` "backlog" says when. Events that
    are not routed yet are the state `arrived` of the category `route`.
    """

    tenant_id = models.IntegerField()
    category = models.CharField(max_length=16)
    state = models.CharField(max_length=9)
    count = models.IntegerField()
    oldest_at = models.DateTimeField(help_text="since when the oldest of them is due")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "category", "state"], name="one_backlog_sample_row"
            )
        ]


class Pulse(models.Model):
    """What the sweep saw last: of itself (`sweep`), of the router (`route`), of each category.

    waiting_since: when it first saw the work that has not moved since; stuck_since: when that had
    lasted too long. Both empty while things flow.
    """

    name = models.CharField(max_length=16, primary_key=True)
    seen_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True)
    stuck_since = models.DateTimeField(null=True)
    told = ArrayField(
        models.IntegerField(), default=list, help_text="the tenants that were told it is stuck"
    )
    oldest_arrival = models.BigIntegerField(
        null=True, help_text="what the router had to route next: another one now means it moves"
    )
