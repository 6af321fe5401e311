"""What the API of endpoints reads and answers."""

from rest_framework import serializers

from apps.sync.alerts import ALERTS
from apps.sync.checking import MAX_URL
from apps.sync.models import Endpoint, Exchange
from apps.web.strict import StrictSerializer

_MAX_PATTERNS = 100


class EndpointInput(StrictSerializer):
    """Input: an endpoint to make."""

    url = serializers.CharField(
        max_length=MAX_URL,
        help_text="`https://…` for a signed webhook, `mailto:night@acme.example` for e-mail",
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    patterns = serializers.ListField(
        child=serializers.CharField(max_length=255),
        required=False,
        max_length=_MAX_PATTERNS,
        help_text="event types, such as `booking.created`, `booking.*` or `*`; left out, a webhook "
        "gets everything and a mail address the alerts alone: " + ", ".join(ALERTS),
    )


class EndpointChanges(StrictSerializer):
    """Input: what to change about an endpoint; what is left out stays."""

    url = serializers.CharField(max_length=MAX_URL, required=False)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    patterns = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=_MAX_PATTERNS
    )
    is_enabled = serializers.BooleanField(required=False)


class EndpointSerializer(serializers.ModelSerializer):
    """Output: an endpoint, never its secret."""

    class Meta:
        model = Endpoint
        fields = [
            "id", "url", "description", "patterns", "is_enabled", "disabled_reason", "created_at",
            "updated_at", "previous_valid_until",
        ]  # fmt: skip


class NewSecretSerializer(EndpointSerializer):
    """Output: an endpoint with a secret just made, shown this once."""

    secret = serializers.CharField(
        help_text="`whsec_` and base64, for any Standard Webhooks library; mail is not signed"
    )

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]


class ExchangeSerializer(serializers.ModelSerializer):
    """Output: one exchange with an endpoint."""

    class Meta:
        model = Exchange
        exclude = ["endpoint"]
