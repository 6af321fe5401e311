"""Dead letters as the API and the command show them."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.events.models import Attempt, Event
from apps.fallback.models import BulkAction, BulkState, DeadLetter, DeadLetterState, Review
from apps.fallback.orders import ACTIONS
from apps.fallback.queries import count_behind_each, get_attempts
from apps.fallback.sentences import describe_each, foresee_retry


@extend_schema_field({"type": ["array", "object", "null"]})
class PayloadDiff(serializers.JSONField):
    """What a correction changed, by JSON pointer; null for what is none."""


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """Output: what a person did."""

    diff = PayloadDiff(read_only=True)

    class Meta:
        model = Review
        fields = ["action", "actor", "note", "diff", "at", "bulk"]


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """Output: one run that did not end well."""

    class Meta:
        model = Attempt
        fields = [
            "number", "started_at", "finished_at", "verdict", "due_at", "error_class", "message",
        ]  # fmt: skip


class DeadLetterSerializer(serializers.ModelSerializer[DeadLetter]):
    """Output: a dead letter as it stands in the list. Context: `show_dead_letters`."""

    sentence = serializers.SerializerMethodField()
    attempt_count = serializers.IntegerField(source="attempts")
    waiting_behind = serializers.SerializerMethodField()
    assignee = serializers.SlugRelatedField(  # type: ignore[var-annotated]
        slug_field="username", read_only=True, allow_null=True
    )

    class Meta:
        model = DeadLetter
        fields = [
            "id", "sentence", "state", "reason", "event_uid", "event_type", "subject", "handler",
            "target", "category", "error_class", "message", "fingerprint", "attempt_count",
            "failures", "crashes", "deaths", "waiting_behind", "accepted_at", "died_at",
            "decided_at", "decided_by", "note", "correction_uid", "assignee",
        ]  # fmt: skip

    def get_sentence(self, dead_letter: DeadLetter) -> str:
        return str(self.context["sentences"][dead_letter.pk])

    def get_waiting_behind(self, dead_letter: DeadLetter) -> int:
        return int(self.context["behind"].get(dead_letter.pk, 0))


class DeadLetterPageSerializer(serializers.Serializer[Any]):
    """Output: a page of the list."""

    results = DeadLetterSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class LinksSerializer(serializers.Serializer[Any]):
    """Output: where to go from here, as paths on this host."""

    event = serializers.CharField()
    correction = serializers.CharField(allow_null=True)
    retry = serializers.CharField()
    discard = serializers.CharField()
    assign = serializers.CharField()
    comment = serializers.CharField()


class DeadLetterDetailSerializer(DeadLetterSerializer):
    """Output: everything about a dead letter. `data` is null when the event is purged."""

    data = serializers.SerializerMethodField()  # type: ignore[assignment]
    retry_outlook = serializers.SerializerMethodField()
    attempts = serializers.SerializerMethodField()
    reviews = ReviewSerializer(many=True)
    links = serializers.SerializerMethodField()

    class Meta(DeadLetterSerializer.Meta):
        fields = [
            *DeadLetterSerializer.Meta.fields, "delivery_id", "stream", "data", "retry_outlook",
            "traceback", "attempts", "reviews", "links",
        ]  # fmt: skip

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_data(self, dead_letter: DeadLetter) -> dict[str, Any] | None:
        event = Event.objects.filter(uid=dead_letter.event_uid).first()
        return event.data if event else None

    def get_retry_outlook(self, dead_letter: DeadLetter) -> str:
        return foresee_retry(dead_letter, behind=self.get_waiting_behind(dead_letter))

    @extend_schema_field(AttemptSerializer(many=True))
    def get_attempts(self, dead_letter: DeadLetter) -> Any:
        return AttemptSerializer(get_attempts(dead_letter), many=True).data

    @extend_schema_field(LinksSerializer)
    def get_links(self, dead_letter: DeadLetter) -> dict[str, str | None]:
        here, events = f"/api/v1/dead-letters/{dead_letter.pk}", "/api/v1/events/"
        corrected = dead_letter.correction_uid
        return {
            "event": f"{events}{dead_letter.event_uid}",
            "correction": f"{events}{corrected}" if corrected else None,
            "retry": f"{here}/retry",
            "discard": f"{here}/discard",
            "assign": f"{here}/assign",
            "comment": f"{here}/comment",
        }


class DecidedSerializer(serializers.Serializer[Any]):
    """Output: where a dead letter stands now; `event_uid` is the new event of a correction."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=DeadLetterState.choices)
    event_uid = serializers.UUIDField(allow_null=True)


class GroupSerializer(serializers.Serializer[Any]):
    """Output: dead letters with the same cause; `message` is the newest one's."""

    fingerprint = serializers.CharField()
    sentence = serializers.CharField()
    count = serializers.IntegerField()
    count_is_capped = serializers.BooleanField(source="is_capped", help_text="there may be more")
    units = serializers.IntegerField(
        help_text="different units that the data of the newest 1,000 names"
    )
    subjects = serializers.IntegerField(
        source="touched", help_text="different subjects among the newest 1,000"
    )
    reason = serializers.CharField(source="newest.reason")
    handler = serializers.CharField(source="newest.handler")
    category = serializers.CharField(source="newest.category")
    error_class = serializers.CharField(source="newest.error_class")
    message = serializers.CharField(source="newest.message")
    varying = serializers.ListField(
        child=serializers.CharField(),
        help_text="what the sentence leaves out as …, because it differs: some examples",
    )
    first_died_at = serializers.DateTimeField()
    last_died_at = serializers.DateTimeField()
    trend = serializers.ListField(
        child=serializers.IntegerField(), help_text="deaths in each of the last 24 hours"
    )


class GroupsSerializer(serializers.Serializer[Any]):
    """Output: groups, the most frequent first."""

    results = GroupSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """Output: what a bulk action did, or with `dry_run` would do."""

    action = serializers.ChoiceField(choices=ACTIONS)
    dry_run = serializers.BooleanField()
    matched = serializers.IntegerField(help_text="open ones that the call takes")
    changed = serializers.IntegerField()
    has_more = serializers.BooleanField(help_text="false: a call takes all that match")
    sample = DeadLetterSerializer(many=True)


class BulkActionSerializer(serializers.ModelSerializer[BulkAction]):
    """Output: how far a bulk action has come."""

    class Meta:
        model = BulkAction
        fields = [
            "id", "action", "state", "total", "done", "skipped", "note", "actor", "filter",
            "stopped_because", "created_at", "finished_at",
        ]  # fmt: skip


class BulkBegunSerializer(BulkAnswerSerializer):
    """Output: a bulk action that runs in the background; ask `status` how far it has come."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=BulkState.choices)
    status = serializers.CharField(help_text="where to ask, as a path on this host")


def show_dead_letters(dead_letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    """Dead letters of the current tenant as they stand in a list; what needs queries is asked at once."""
    context = _context_of(dead_letters)
    return list(DeadLetterSerializer(dead_letters, many=True, context=context).data)


def show_dead_letter(dead_letter: DeadLetter) -> dict[str, Any]:
    """Everything about a dead letter of the current tenant."""
    context = _context_of([dead_letter])
    return DeadLetterDetailSerializer(context=context).to_representation(dead_letter)


def _context_of(dead_letters: Sequence[DeadLetter]) -> dict[str, Any]:
    return {"behind": count_behind_each(dead_letters), "sentences": describe_each(dead_letters)}
