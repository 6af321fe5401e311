"""What the API of endpoints reads and answers."""

from rest_framework import serializers

from apps.sync.models import Endpoint, Exchange


class EndpointInput(serializers.Serializer):
    """Input: an endpoint to make."""

    url = serializers.CharField(max_length=2000)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    patterns = serializers.ListField(
        child=serializers.CharField(max_length=255), default=lambda: ["*"], max_length=100
    )


class EndpointChanges(serializers.Serializer):
    """Input: what to change about an endpoint."""

    url = serializers.CharField(max_length=2000, required=False)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    patterns = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=100
    )
    is_enabled = serializers.BooleanField(required=False)


class EndpointSerializer(serializers.ModelSerializer):
    """Output: an endpoint, never its secret."""

    class Meta:
        model = Endpoint
        fields = [
            "id", "url", "description", "patterns", "is_enabled", "disabled_reason", "created_at",
            "previous_valid_until",
        ]  # fmt: skip


class ExchangeSerializer(serializers.ModelSerializer):
    """Output: one exchange with an endpoint."""

    class Meta:
        model = Exchange
        exclude = ["endpoint"]
