"""What the API of events and replays reads and answers."""

from rest_framework import serializers

from apps.events.filters import STATES
from apps.events.models import Replay, ReplayNote
from apps.events.replaying import MOST_RATE
from apps.web.strict import StrictFlag, StrictNumber, StrictSerializer, StrictText
from pms_events.categories import Category
from pms_events.patterns import is_pattern


class EventFilterSerializer(StrictSerializer):
    """Input: which events."""

    uid = serializers.UUIDField(required=False)
    type = StrictText(
        required=False, max_length=255, help_text="an event type, or a pattern such as booking.*"
    )
    subject = StrictText(required=False, max_length=255)
    source = StrictText(required=False, max_length=255)  # type: ignore[assignment]
    category = serializers.ChoiceField(required=False, choices=[c.value for c in Category])
    state = serializers.ChoiceField(required=False, choices=STATES)
    since = serializers.DateTimeField(required=False, help_text="recorded at or after")
    until = serializers.DateTimeField(required=False, help_text="recorded before")
    text = StrictText(required=False, max_length=255, help_text="anywhere in the payload as JSON")

    def validate_type(self, value: str) -> str:
        if not is_pattern(value):
            raise serializers.ValidationError(
                "Must be an event type or a pattern such as booking.*"
            )
        return value


class FieldErrorSerializer(serializers.Serializer):
    """Output: a bad field, and what is wrong with it."""

    pointer = serializers.CharField()
    detail = serializers.CharField()


class ResultSerializer(serializers.Serializer):
    """Output: what became of one event of a request."""

    index = serializers.IntegerField()
    id = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    uid = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "conflict", "rejected"])
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class IngestAnswerSerializer(serializers.Serializer):
    """Output: what became of a request."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = ResultSerializer(many=True)


class ReplayRequestSerializer(StrictSerializer):
    """Input: what to replay, to whom, how fast. An empty `filter` is the whole log, none is a slip."""

    filter = EventFilterSerializer(help_text="{} is every event in the log")
    handlers = serializers.ListField(
        child=StrictText(max_length=100),
        required=False,
        allow_null=True,
        allow_empty=False,
        help_text="only these; null or left out: all that react",
    )
    include_external = StrictFlag(
        default=False, help_text="let handlers that act on the outside run, too"
    )
    rate = StrictNumber(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_RATE,
        help_text="events a second at most",
    )
    reason = StrictText(required=False, allow_blank=True, max_length=500)
    dry_run = StrictFlag(default=False, help_text="only tell what would be done")


class ReplayControlSerializer(StrictSerializer):
    """Input: why a replay is paused, resumed or cancelled."""

    reason = StrictText(required=False, allow_blank=True, max_length=500, default="")


class ReplayNoteSerializer(serializers.ModelSerializer):
    """Output: what somebody did with a replay after its start."""

    class Meta:
        model = ReplayNote
        fields = ["action", "actor", "reason", "at"]


class ReplaySerializer(serializers.ModelSerializer):
    """Output: a replay and how far it has come."""

    filter = EventFilterSerializer(read_only=True)
    handlers = serializers.ListField(child=serializers.CharField(), allow_null=True, read_only=True)
    notes = ReplayNoteSerializer(many=True, read_only=True)

    class Meta:
        model = Replay
        fields = [
            "id", "filter", "handlers", "include_external", "rate", "state", "total", "replayed",
            "requested_by", "reason", "created_at", "finished_at", "cutoff", "notes",
        ]  # fmt: skip
