"""Read models: what each scheduled stay contributes, and the sums per property and day."""

from django.db import models


class StayFact(models.Model):
    """What a scheduled stay contributes to the figures, kept to be taken back exactly."""

    source = models.CharField(max_length=255)
    booking_ref = models.CharField(max_length=255)
    stay_ref = models.CharField(max_length=255)
    property_ref = models.CharField(max_length=255)
    arrival = models.DateField()
    departure = models.DateField()
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "booking_ref", "stay_ref"], name="one_fact_per_stay"
            )
        ]


class DailyFigure(models.Model):
    """The sums of a property and day. Revenue has rows of its own: currencies never add up."""

    property_ref = models.CharField(max_length=255)
    day = models.DateField()
    occupied_units = models.IntegerField(default=0)
    arrivals = models.IntegerField(default=0)
    departures = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["property_ref", "day"], name="one_figure_per_day")
        ]
        indexes = [
            # Both lists of figures, by day.
            models.Index(fields=["day", "id"], name="figure_day")
        ]


class DailyRevenue(models.Model):
    """Revenue of a property, day and currency, in minor units: a stay's amount over its nights."""

    property_ref = models.CharField(max_length=255)
    day = models.DateField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["property_ref", "day", "currency"], name="one_revenue_per_day"
            )
        ]
