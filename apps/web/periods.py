"""`?from=&to=` of lists: words that Python keeps for itself, so they are renamed while read."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from apps.web.problems import Problem, flatten
from pms_events.errors import FieldError

_NAMES = {"from": "start", "to": "end"}
_SAID = {f"#/{name}": f"#/{said}" for said, name in _NAMES.items()}


def describe_period(kind: Any, **meanings: str) -> list[OpenApiParameter]:
    """Describe `from` and `to`, which are of this type; `meanings` under `start` and `end`."""
    return [
        OpenApiParameter(said, kind, description=meanings[name]) for said, name in _NAMES.items()
    ]


def read_query(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Read the query with a serializer that has `start` and `end` for `from` and `to`.

    Raises: Problem 422 with pointers to what the caller wrote.
    """
    reading = serializer(data=_renamed(request.query_params))
    if not reading.is_valid():
        errors = [
            FieldError(pointer=_SAID.get(e.pointer, e.pointer), detail=e.detail)
            for e in flatten(reading.errors)
        ]
        raise Problem(422, "Some fields are not valid.", errors=errors)
    return dict(reading.validated_data)


def _renamed(given: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in given.items() if name not in _NAMES.values()}
    return {_NAMES.get(name, name): value for name, value in own.items()}
