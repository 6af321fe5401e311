"""What the API of events and replays reads and answers."""

from rest_framework import serializers

from apps.events.filters import STATES
from apps.events.models import Replay, ReplayNote
from pms_events.categories import Category


class EventFilterSerializer(serializers.Serializer):
    """Input: which events."""

    uid = serializers.UUIDField(required=False)
    type = serializers.CharField(required=False, max_length=255)
    subject = serializers.CharField(required=False, max_length=255)
    source = serializers.CharField(required=False, max_length=255)  # type: ignore[assignment]
    category = serializers.ChoiceField(required=False, choices=[c.value for c in Category])
    state = serializers.ChoiceField(required=False, choices=STATES)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    text = serializers.CharField(required=False, max_length=255)


class ResultSerializer(serializers.Serializer):
    """Output: what became of one event of a request."""

    index = serializers.IntegerField()
    id = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    uid = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "conflict", "rejected"])


class IngestAnswerSerializer(serializers.Serializer):
    """Output: what became of a request."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = ResultSerializer(many=True)


class ReplayRequestSerializer(serializers.Serializer):
    """Input: what to replay, to whom, how fast."""

    filter = EventFilterSerializer(required=False)
    handlers = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, allow_null=True
    )
    include_external = serializers.BooleanField(default=False)
    rate = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)
    dry_run = serializers.BooleanField(default=False)


class ReplayControlSerializer(serializers.Serializer):
    """Input: why a replay is paused, resumed or cancelled."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")


class ReplayNoteSerializer(serializers.ModelSerializer):
    """Output: what somebody did with a replay after its start."""

    class Meta:
        model = ReplayNote
        fields = ["action", "actor", "reason", "at"]


class ReplaySerializer(serializers.ModelSerializer):
    """Output: a replay and how far it has come."""

    notes = ReplayNoteSerializer(many=True, read_only=True)

    class Meta:
        model = Replay
        fields = [
            "id", "filter", "handlers", "include_external", "rate", "state", "total", "replayed",
            "requested_by", "reason", "created_at", "finished_at", "cutoff", "notes",
        ]  # fmt: skip
