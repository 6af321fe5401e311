"""Bookings as they are now, their stays, and every revision as it was received."""

from django.db import models

from apps.properties.models import Property, Unit


class BookingStatus(models.TextChoices):
    """Only `confirmed` holds nights."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    INQUIRY = "inquiry"
    REQUEST = "request"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class Booking(models.Model):
    """A booking as its newest revision says. `applied_*` name that revision (see revisions.py)."""

    source = models.CharField(max_length=255)
    booking_ref = models.CharField(max_length=255)
    property = models.ForeignKey(Property, on_delete=models.PROTECT, null=True)
    status = models.CharField(max_length=10, choices=BookingStatus)
    channel = models.CharField(max_length=255, blank=True)
    guest_ref = models.CharField(max_length=255, blank=True)
    booked_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    total_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    applied_is_creation = models.BooleanField()
    applied_number = models.BigIntegerField(null=True)
    applied_at = models.DateTimeField()
    applied_ref = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "booking_ref"], name="one_booking_per_ref")
        ]
        indexes = [
            # GET /api/v1/bookings?booking_ref=, and the admin's search by how a reference begins.
            models.Index(
                fields=["booking_ref"], opclasses=["varchar_pattern_ops"], name="booking_ref_start"
            ),
            models.Index(
                fields=["guest_ref"], opclasses=["varchar_pattern_ops"], name="booking_guest_start"
            ),
            # Both lists by channel, newest first, and which channels there are.
            models.Index(fields=["channel", "-id"], name="booking_channel"),
            # Both lists by status. Most are confirmed: those are found without.
            models.Index(
                fields=["status", "-id"],
                condition=~models.Q(status="confirmed"),
                name="booking_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking_ref} ({self.source})"


class Stay(models.Model):
    """One unit's part of a booking: nights [arrival, departure). Without a unit until mapped."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="stays")
    stay_ref = models.CharField(max_length=255)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True)
    unit_type = models.CharField(max_length=255, blank=True)
    arrival = models.DateField()
    departure = models.DateField()
    adults = models.IntegerField()
    children = models.IntegerField()
    is_scheduled = models.BooleanField(help_text="it takes place, as far as we know")
    share_minor = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["booking", "stay_ref"], name="one_stay_per_ref"),
            models.CheckConstraint(
                condition=models.Q(departure__gt=models.F("arrival")), name="stay_has_nights"
            ),
        ]
        indexes = [
            # GET /api/v1/bookings?arrival_from=&arrival_to=
            models.Index(fields=["arrival"], name="stay_arrival")
        ]

    def __str__(self) -> str:
        return self.stay_ref


class BookingRevision(models.Model):
    """A revision as received. A stale one was older than the applied one and had no effect."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="revisions")
    event_uid = models.UUIDField(unique=True)
    kind = models.CharField(max_length=255)
    number = models.BigIntegerField(null=True)
    revised_at = models.DateTimeField()
    revision_ref = models.CharField(max_length=255, blank=True)
    is_stale = models.BooleanField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
