"""What the API of properties and units reads and answers."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.properties.models import Property, Unit, validate_timezone
from apps.web.strict import StrictSerializer


@extend_schema_field({"type": "string", "pattern": r"^\d\d:\d\d(:\d\d(\.\d+)?)?$"})
class LocalTime(serializers.TimeField):
    """A time of the day at the property: without the offset that the format `time` asks for."""


class PropertySerializer(serializers.ModelSerializer):
    """Output: a property."""

    id = serializers.CharField(source="ref")
    check_in_time = LocalTime()
    check_out_time = LocalTime()

    class Meta:
        model = Property
        fields = ["id", "name", "timezone", "check_in_time", "check_out_time"]


class PropertyInput(StrictSerializer):
    """Input: a property to make."""

    id = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=200)
    timezone = serializers.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    check_in_time = LocalTime(required=False)
    check_out_time = LocalTime(required=False)


class PropertyChange(StrictSerializer):
    """Input: what to change about a property; its id stays."""

    name = serializers.CharField(max_length=200, required=False)
    timezone = serializers.CharField(max_length=64, required=False, validators=[validate_timezone])
    check_in_time = LocalTime(required=False)
    check_out_time = LocalTime(required=False)


class UnitSerializer(serializers.ModelSerializer):
    """Output: a unit."""

    id = serializers.CharField(source="ref")
    property_id = serializers.CharField(source="property.ref")

    class Meta:
        model = Unit
        fields = ["id", "property_id", "name", "unit_type"]


class UnitInput(StrictSerializer):
    """Input: a unit to make."""

    id = serializers.CharField(max_length=255)
    property_id = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=200)
    unit_type = serializers.CharField(max_length=100, required=False, allow_blank=True)


class UnitChange(StrictSerializer):
    """Input: what to change about a unit; its id and property stay."""

    name = serializers.CharField(max_length=200, required=False)
    unit_type = serializers.CharField(max_length=100, required=False, allow_blank=True)


class UnitQuery(serializers.Serializer):
    """Input: which units."""

    property = serializers.CharField(required=False, allow_blank=True, max_length=255)
