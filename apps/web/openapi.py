"""How the API's documentation describes what all share: the key, pages, problems."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from apps.web.problems import CONTENT_TYPE

PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="from `next` or `previous`"),
    OpenApiParameter("limit", int, description="rows a page, up to 500"),
]

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what happened, and what to do"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer to the bad field"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_REFUSALS = {
    "401": "The key is missing, unknown, expired or revoked.",
    "403": "The key lacks the scope, or belongs to another tenant than the host.",
    "503": "The database is away: nothing was stored; see Retry-After.",
    "default": "The request was refused, and nothing was changed.",
}


class StrictInput(OpenApiSerializerExtension):
    """Input that takes no members it does not know says so."""

    target_class = "apps.web.strict.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        described = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**described, "additionalProperties": False}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """A bearer key; drf-spectacular finds this class by its being defined."""

    target_class = "apps.web.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "pms_<prefix>_<secret>"}


def page_of(row: type[serializers.BaseSerializer[Any]], *, name: str = "") -> Any:
    """A page of a list; `name` where the row's own would not do."""
    return inline_serializer(
        f"{name or row.__name__.removesuffix('Serializer')}Page",
        {
            "results": row(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
        },
    )


def describe_problems(
    result: dict[str, Any], generator: Any, request: Any, public: Any
) -> dict[str, Any]:
    """Say of every operation that its errors are problems (drf-spectacular's hook)."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            for status, description in _REFUSALS.items():
                answers.setdefault(status, {"description": description})
            for status, answer in answers.items():
                if status == "default" or status >= "400":
                    answer["content"] = content
    return result
