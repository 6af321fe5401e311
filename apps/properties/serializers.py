"""What the API of properties and units reads and answers."""

from rest_framework import serializers

from apps.properties.models import Property, Unit, validate_timezone


class PropertySerializer(serializers.ModelSerializer):
    """Output: a property."""

    id = serializers.CharField(source="ref")

    class Meta:
        model = Property
        fields = ["id", "name", "timezone", "check_in_time", "check_out_time"]


class PropertyInput(serializers.Serializer):
    """Input: a property to make."""

    id = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=200)
    timezone = serializers.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    check_in_time = serializers.TimeField(required=False)
    check_out_time = serializers.TimeField(required=False)


class PropertyChange(serializers.Serializer):
    """Input: what to change about a property; its id stays."""

    name = serializers.CharField(max_length=200, required=False)
    timezone = serializers.CharField(max_length=64, required=False, validators=[validate_timezone])
    check_in_time = serializers.TimeField(required=False)
    check_out_time = serializers.TimeField(required=False)


class UnitSerializer(serializers.ModelSerializer):
    """Output: a unit."""

    id = serializers.CharField(source="ref")
    property_id = serializers.CharField(source="property.ref")

    class Meta:
        model = Unit
        fields = ["id", "property_id", "name", "unit_type"]


class UnitInput(serializers.Serializer):
    """Input: a unit to make."""

    id = serializers.CharField(max_length=255)
    property_id = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=200)
    unit_type = serializers.CharField(max_length=100, required=False, allow_blank=True)


class UnitChange(serializers.Serializer):
    """Input: what to change about a unit; its id and property stay."""

    name = serializers.CharField(max_length=200, required=False)
    unit_type = serializers.CharField(max_length=100, required=False, allow_blank=True)


class UnitQuery(serializers.Serializer):
    """Input: which units."""

    property = serializers.CharField(required=False, allow_blank=True, max_length=255)
