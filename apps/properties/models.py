"""Property and Unit: what is rented out. `ref` is the id that the API and events use."""

from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import models


def validate_timezone(name: str) -> None:
    """Raises: ValidationError unless `name` is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(f"'{name}' is no IANA time zone, such as Europe/Lisbon") from error


class Property(models.Model):
    """A hotel or a house with units, in one time zone, with its check-in and check-out times."""

    ref = models.CharField("id", max_length=255, unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    check_in_time = models.TimeField(default=time(15, 0))
    check_out_time = models.TimeField(default=time(10, 0))

    class Meta:
        verbose_name_plural = "properties"
        ordering = ["ref"]

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A room, flat or house that one party at a time stays in."""

    ref = models.CharField("id", max_length=255, unique=True)
    property = models.ForeignKey(Property, on_delete=models.PROTECT, related_name="units")
    name = models.CharField(max_length=200)
    unit_type = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["ref"]

    def __str__(self) -> str:
        return f"{self.name} ({self.ref})"
