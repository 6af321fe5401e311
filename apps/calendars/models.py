"""Which nights of which unit are taken, and by what."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Q, Value

from apps.properties.models import Unit


class _UnitAsRange(Func):
    """The unit's id as a range of one, because range types index under GiST without extensions."""

    function = "int8range"
    template = "%(function)s(%(expressions)s)"

    def __init__(self) -> None:
        super().__init__(F("unit"), F("unit"), Value("[]"))


class EntryKind(models.TextChoices):
    """What takes nights: a sold stay, or a block."""

    STAY = "stay"
    OWNER = "owner"
    MAINTENANCE = "maintenance"
    HOLD = "hold"
    CHANNEL_CLOSED = "channel_closed"


class CalendarEntry(models.Model):
    """Nights [arrival, departure) of a unit that are taken.

    An entry with `has_conflict` overlaps another that holds the nights: both were sold, and a
    person decides. Overbooking is never refused.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="calendar")
    nights = DateRangeField()
    kind = models.CharField(max_length=20, choices=EntryKind, default=EntryKind.STAY)
    source = models.CharField(max_length=255, help_text="who sold it")
    ref = models.CharField(max_length=255, help_text="the stay")
    booking_ref = models.CharField(max_length=255, blank=True)
    guest_ref = models.CharField(max_length=255, blank=True)
    channel = models.CharField(max_length=255, blank=True)
    has_conflict = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "calendar entries"
        indexes = [
            # A unit's calendar in order of arrival: its page, and who comes next (housekeeping).
            models.Index(fields=["unit", "nights"], name="calendar_unit_nights"),
            # GET /api/v1/calendar?from=&to= and availability, of all units.
            GistIndex(fields=["nights"], name="calendar_nights"),
            # The admin's search by how a booking's reference begins.
            models.Index(
                fields=["booking_ref"], opclasses=["varchar_pattern_ops"], name="calendar_ref_start"
            ),
            # Which stays of these bookings are in conflict: few are.
            models.Index(
                fields=["booking_ref"], condition=Q(has_conflict=True), name="calendar_conflict"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "booking_ref", "ref"], name="one_entry_per_stay"
            ),
            # Two entries without conflict never share a night of a unit.
            ExclusionConstraint(
                name="no_double_nights",
                index_type="GIST",
                expressions=[
                    (_UnitAsRange(), RangeOperators.OVERLAPS),
                    (F("nights"), RangeOperators.OVERLAPS),
                ],
                condition=Q(has_conflict=False),
            ),
            models.CheckConstraint(
                condition=Q(nights__isempty=False)
                & Q(nights__lower_inf=False)
                & Q(nights__upper_inf=False),
                name="nights_are_bounded",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_id}: {self.nights.lower} – {self.nights.upper}"
