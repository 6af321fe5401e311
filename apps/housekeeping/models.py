"""Cleans: one turnover for each stay that leaves a unit to be made ready."""

from django.db import models

from apps.properties.models import Unit


class TaskStatus(models.TextChoices):
    """Where a clean stands. A stay that never needed one has it `not_needed`, told to nobody."""

    PLANNED = "planned"
    CANCELLED = "cancelled"
    NOT_NEEDED = "not_needed"


class CleaningTask(models.Model):
    """The clean after a stay: from its check-out to the next check-in in the unit, if there is one.

    `arrival` and `departure` are those of the stay that it was planned for.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    kind = models.CharField(max_length=10, choices=[("turnover", "turnover")], default="turnover")
    status = models.CharField(max_length=10, choices=TaskStatus, default=TaskStatus.PLANNED)
    source = models.CharField(max_length=255)
    booking_ref = models.CharField(max_length=255)
    stay_ref = models.CharField(max_length=255)
    arrival = models.DateField()
    departure = models.DateField()
    window_start = models.DateTimeField()
    window_end = models.DateTimeField(null=True)
    is_same_day = models.BooleanField(
        default=False, help_text="the next guest arrives on the day of departure"
    )
    version = models.IntegerField(default=0, help_text="how often it was told")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "booking_ref", "stay_ref"], name="one_turnover_per_stay"
            )
        ]
        indexes = [
            # The day's cleans.
            models.Index(fields=["status", "window_start"], name="cleaning_window"),
            # Both lists of cleans, whatever their status.
            models.Index(fields=["window_start", "id"], name="cleaning_order"),
            # The turnovers of stays that follow each other, when one of them changes; and the
            # admin's search by how a booking's reference begins.
            models.Index(
                fields=["booking_ref"], opclasses=["varchar_pattern_ops"], name="cleaning_ref_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.departure}"
