"""What the API of connections reads and answers. Times between two events are whole seconds."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from apps.sync.connecting import LONGEST_LIMIT, SHORTEST_LIMIT
from apps.sync.connection_health import State, get_health
from apps.sync.models import Connection
from apps.web.strict import StrictSerializer


class SecondsField(serializers.IntegerField):
    """A timedelta in Python, whole seconds outside."""

    def to_internal_value(self, data: Any) -> Any:
        return timedelta(seconds=super().to_internal_value(data))

    def to_representation(self, value: Any) -> Any:
        return int(value.total_seconds())


class _LimitField(serializers.IntegerField):
    def __init__(self) -> None:
        super().__init__(
            min_value=int(SHORTEST_LIMIT.total_seconds()),
            max_value=int(LONGEST_LIMIT.total_seconds()),
            required=False,
            allow_null=True,
            help_text="null: learned from the usual gap",
        )


class ConnectionInput(StrictSerializer):
    """Input: a connection to make. With `is_signed` it gets a secret, unless `secret` gives one."""

    name = serializers.CharField(max_length=100)
    connector = serializers.CharField(max_length=32, default="generic")
    silent_after_seconds = _LimitField()
    is_signed = serializers.BooleanField(default=False)
    secret = serializers.CharField(max_length=200, required=False)


class ConnectionChanges(StrictSerializer):
    """Input: what to change about a connection; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    silent_after_seconds = _LimitField()
    is_enabled = serializers.BooleanField(required=False)
    is_signed = serializers.BooleanField(required=False)


class SecretInput(StrictSerializer):
    """Input: the sender's own secret; without it, one is made."""

    secret = serializers.CharField(max_length=200, required=False)


class ConnectionSerializer(serializers.ModelSerializer):
    """Output: a connection and its health, never its token or secret."""

    health = serializers.SerializerMethodField()
    silent_after_seconds = SecondsField(source="silent_after", read_only=True, allow_null=True)
    usual_gap_seconds = SecondsField(source="usual_gap", read_only=True, allow_null=True)
    is_signed = serializers.BooleanField(read_only=True)

    class Meta:
        model = Connection
        fields = [
            "id", "name", "connector", "is_enabled", "is_signed", "previous_valid_until", "health",
            "silent_after_seconds", "usual_gap_seconds", "received_count", "last_received_at",
            "silent_since", "refused_count", "last_refused_at", "created_at", "updated_at",
        ]  # fmt: skip

    def get_health(self, connection: Connection) -> State:
        return get_health(connection).state


class NewConnectionSerializer(ConnectionSerializer):
    """Output: a connection with what was just made, shown this once."""

    token = serializers.CharField(required=False)
    url = serializers.CharField(required=False, help_text="where the sender is to POST")
    secret = serializers.CharField(
        required=False, help_text="`whsec_` and base64, for any Standard Webhooks library"
    )

    class Meta(ConnectionSerializer.Meta):
        fields = [*ConnectionSerializer.Meta.fields, "token", "url", "secret"]
