"""What the API of events takes and answers, for its description; `presenting` writes the answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.dispatch.models import State
from apps.events.filters import STATES
from apps.events.models import DeliveryState
from pms_events.categories import Category, Priority
from pms_events.verdicts import Kind

_CATEGORIES = [category.value for category in Category]
_PRIORITIES = [priority.name for priority in Priority]

_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "description": "A CloudEvents 1.0 envelope; members that it does not know are kept as extensions.",
    "required": ["id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_TEXT, "description": "unique for its source: the same again is a duplicate"},
        "source": _TEXT,
        "type": {**_TEXT, "description": "of the catalogue: /api/v1/event-types"},
        "subject": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string"},
        "data": {"type": "object"},
        "data_base64": {"type": "string"},
    },
    "additionalProperties": True,
}
_STRICT = {**_ENVELOPE, "required": ["specversion", *_ENVELOPE["required"]]}
_MANY = {"type": "array", "maxItems": 1000}

REQUEST = {
    "application/json": {"oneOf": [_ENVELOPE, {**_MANY, "items": _ENVELOPE}]},
    "application/cloudevents+json": _STRICT,
    "application/cloudevents-batch+json": {**_MANY, "items": _STRICT},
}


@extend_schema_field({"type": "object", "additionalProperties": {}})
class AnyObject(serializers.JSONField):
    """A JSON object, whatever is in it."""


class LoggedEventSerializer(serializers.Serializer[Any]):
    """Output: an event as it stands in the log."""

    uid = serializers.UUIDField()
    id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    time = serializers.DateTimeField(help_text="when it happened, as its publisher says")
    recorded_at = serializers.DateTimeField()
    category = serializers.ChoiceField(choices=_CATEGORIES)
    priority = serializers.ChoiceField(choices=_PRIORITIES)
    state = serializers.ChoiceField(choices=STATES)
    has_route = serializers.BooleanField(help_text="false: nothing reacts to it")
    causation = serializers.UUIDField(allow_null=True, help_text="the event that led to it")
    data = AnyObject()  # type: ignore[assignment]
    extensions = AnyObject()


class EventAttemptSerializer(serializers.Serializer[Any]):
    """Output: one run of a delivery. `verdict` of the last good one is its delivery's state."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.FloatField()
    verdict = serializers.ChoiceField(
        choices=sorted({*(k.value for k in Kind), *DeliveryState.values})
    )
    error = serializers.CharField(allow_null=True)


class EventDeliverySerializer(serializers.Serializer[Any]):
    """Output: what is owed, or was, to one handler and target."""

    id = serializers.IntegerField()
    handler = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    category = serializers.ChoiceField(choices=_CATEGORIES)
    state = serializers.ChoiceField(choices=sorted({*State.values, *DeliveryState.values}))
    attempts = EventAttemptSerializer(many=True)
    attempt_count = serializers.IntegerField()
    failures = serializers.IntegerField()
    crashes = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    replay = serializers.IntegerField(allow_null=True, help_text="the replay that it is of")


class RelatedEventSerializer(serializers.Serializer[Any]):
    """Output: an event of the causation tree; `causation` names its parent."""

    uid = serializers.UUIDField()
    type = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    causation = serializers.UUIDField(allow_null=True)
    recorded_at = serializers.DateTimeField()


class EventDetailSerializer(LoggedEventSerializer):
    """Output: an event with its story."""

    deliveries = EventDeliverySerializer(many=True)
    causation_tree = RelatedEventSerializer(many=True)


class EventTypeSerializer(serializers.Serializer[Any]):
    """Output: an event type of the catalogue."""

    type = serializers.CharField()
    category = serializers.ChoiceField(choices=_CATEGORIES)
    priority = serializers.ChoiceField(choices=_PRIORITIES)
    stream = serializers.CharField(help_text="what orders its events")
    description = serializers.CharField()
    schema = AnyObject(help_text="JSON Schema of the data")
    example = AnyObject(help_text="data that fits")


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class Counts(serializers.JSONField):
    """Counts by name."""


class SampleSerializer(serializers.Serializer[Any]):
    """Output: an event that a replay would take."""

    uid = serializers.UUIDField()
    type = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    time = serializers.DateTimeField()


class ReplayPreviewSerializer(serializers.Serializer[Any]):
    """Output: what a replay would do."""

    total = serializers.IntegerField(help_text="events")
    by_type = Counts(help_text="events")
    by_handler = Counts(help_text="deliveries")
    suppressed = Counts(help_text="deliveries that would not be made, by handler")
    reasons = serializers.DictField(
        child=serializers.CharField(), help_text="why a handler is suppressed"
    )
    samples = SampleSerializer(many=True)
