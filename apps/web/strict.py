"""Input that is read strictly: what is misspelt or of another kind is refused, never guessed at."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictText(serializers.CharField):
    """A string; numbers and booleans are not turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        return super().to_internal_value(data)


class StrictFlag(serializers.BooleanField):
    """true or false; nothing else passes for one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses members it does not know: a misspelt filter must not match all."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            raise serializers.ValidationError(
                {str(name): ["There is no such member."] for name in sorted(unknown, key=str)}
            )
        return super().to_internal_value(data)


class StrictNumber(serializers.IntegerField):
    """A whole number; a string or a boolean is not turned into one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("Must be a whole number.")
        return int(super().to_internal_value(data))
