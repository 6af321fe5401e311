"""What the API of the fallback queue reads: strictly, so that a slip never acts on too much."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.fallback.bulk import MOST_IDS
from apps.fallback.filters import STATES
from apps.fallback.models import DeadLetterState
from apps.fallback.orders import ACTIONS
from apps.web.strict import StrictFlag, StrictSerializer, StrictText
from pms_events.categories import Category
from pms_events.patterns import is_pattern
from pms_events.verdicts import Reason


class DeadLetterFilterSerializer(StrictSerializer):
    """Input: which dead letters."""

    state = serializers.ChoiceField(required=False, choices=STATES)
    reason = serializers.ChoiceField(required=False, choices=[r.value for r in Reason])
    handler = StrictText(required=False, max_length=100)
    category = serializers.ChoiceField(required=False, choices=[c.value for c in Category])
    type = StrictText(required=False, max_length=255)
    fingerprint = StrictText(required=False, max_length=16)
    assignee = StrictText(required=False, max_length=150)
    event = serializers.UUIDField(required=False)
    search = StrictText(required=False, max_length=200)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)

    def validate_type(self, value: str) -> str:
        if not is_pattern(value):
            raise serializers.ValidationError("Must be an event type or a pattern: booking.*")
        return value

    def validate_event(self, value: UUID) -> str:
        return str(value)


class OpenFilterSerializer(DeadLetterFilterSerializer):
    """Input: which open dead letters; only open ones can be acted on."""

    state = serializers.ChoiceField(required=False, choices=[DeadLetterState.OPEN.value])


class RetrySerializer(StrictSerializer):
    """Input: a retry, or with `data` a correction."""

    data = serializers.JSONField(required=False)  # type: ignore[assignment]
    note = StrictText(required=False, allow_blank=True, max_length=2000)


class DiscardSerializer(StrictSerializer):
    """Input: a discard and why."""

    note = StrictText(max_length=2000)


class CommentSerializer(StrictSerializer):
    """Input: a remark."""

    note = StrictText(max_length=2000)


class AssignSerializer(StrictSerializer):
    """Input: who looks after it from now on; null: nobody."""

    assignee = StrictText(max_length=150, allow_null=True)
    note = StrictText(required=False, allow_blank=True, max_length=2000)


class BulkSerializer(StrictSerializer):
    """Input: what to do with which dead letters: `filter` or `ids`, not both."""

    action = serializers.ChoiceField(choices=ACTIONS)
    filter = OpenFilterSerializer(required=False)
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MOST_IDS
    )
    note = StrictText(required=False, allow_blank=True, max_length=2000)
    assignee = StrictText(required=False, allow_null=True, max_length=150)
    dry_run = StrictFlag(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("filter" in attrs) == ("ids" in attrs):
            raise serializers.ValidationError("Give filter or ids: one of them, not both.")
        action = attrs["action"]
        says_why = attrs["dry_run"] or attrs.get("note", "").strip()
        if action in ("discard", "comment") and not says_why:
            raise serializers.ValidationError(
                {"note": ["A discard says why." if action == "discard" else "Say something."]}
            )
        if (action == "assign") != ("assignee" in attrs):
            raise serializers.ValidationError({"assignee": ["Goes with the action assign only."]})
        return attrs
