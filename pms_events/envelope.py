"""The CloudEvents 1.0 envelope of an event, and the strict reading of it.

Source: CloudEvents specification 1.0.2 and its JSON format. Stricter than the public SDKs on
purpose: nothing is filled in that decides about identity.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any

from pms_events.errors import FieldError, InvalidEvent
from pms_events.patterns import is_pattern
from pms_events.strict_json import UnreadableJson, loads

MAX_ATTRIBUTE = 255
MAX_EVENT = 256 * 1024
"""How many bytes of JSON an event may have."""
KNOWN = frozenset(
    [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "data",
        "data_base64",
    ]
)
_EXTENSION = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_STRICT_EXTENSION = re.compile(r"^[a-z0-9]{1,64}$")
_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event as its publisher states it. `time` is None when the publisher gave none."""

    id: str
    source: str
    type: str
    subject: str = ""
    time: datetime | None = None
    data: dict[str, Any]
    extensions: dict[str, Any] = field(default_factory=dict)

    def body_hash(self) -> bytes:
        """Digest what the event says, so that the same id with another body is noticed.

        32 bytes of SHA-256 over canonical JSON; the order of keys does not matter.
        """
        said = [
            self.type,
            self.subject,
            self.time.isoformat() if self.time else None,
            self.data,
            self.extensions,
        ]
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()


def read_envelope(raw: Any, *, strict: bool = False) -> Envelope:
    """Read one event from its JSON object; unknown fields become extension attributes.

    `strict` asks for what `application/cloudevents+json` promises: a `specversion`, and extension
    names in lower-case letters and digits.
    Raises: InvalidEvent with a pointer to every bad attribute.
    """
    if not isinstance(raw, Mapping):
        raise InvalidEvent([FieldError(pointer="#", detail="an event is a JSON object")])
    errors: list[FieldError] = []
    specversion = raw.get("specversion")
    if specversion != "1.0" and (strict or specversion is not None):
        errors.append(FieldError(pointer="#/specversion", detail='must be "1.0"'))
    texts = {name: _text(raw, name, errors) for name in ("id", "source", "type")}
    subject = _text(raw, "subject", errors) if raw.get("subject") is not None else ""
    if texts["type"] and (not is_pattern(texts["type"]) or "*" in texts["type"]):
        errors.append(
            FieldError(pointer="#/type", detail="must be a dotted name such as booking.created")
        )
    time = _time(raw.get("time"), errors)
    data = _data(raw, errors)
    extensions = _extensions(raw, errors, strict=strict)
    if errors:
        raise InvalidEvent(errors)
    return Envelope(
        id=texts["id"],
        source=texts["source"],
        type=texts["type"],
        subject=subject,
        time=time,
        data=data,
        extensions=extensions,
    )


def _text(raw: Mapping[str, Any], name: str, errors: list[FieldError]) -> str:
    value = raw.get(name)
    if name not in raw:
        errors.append(FieldError(pointer=f"#/{name}", detail="is required"))
    elif not isinstance(value, str) or not value.strip():
        errors.append(FieldError(pointer=f"#/{name}", detail="must be a non-empty string"))
    elif len(value) > MAX_ATTRIBUTE:
        errors.append(
            FieldError(pointer=f"#/{name}", detail=f"must have at most {MAX_ATTRIBUTE} characters")
        )
    elif _unstorable(value):
        errors.append(FieldError(pointer=f"#/{name}", detail=_unstorable(value)))
    else:
        return value
    return ""


def _time(value: Any, errors: list[FieldError]) -> datetime | None:
    if value is None:
        return None
    detail = "must be an RFC 3339 time with an offset, such as 2027-06-01T12:00:00Z"
    if isinstance(value, str) and _RFC3339.match(value):
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError as error:
            detail = f"{detail}: {error}"
        else:
            # A year away from what datetimes can hold, so that every zone can show it.
            if MINYEAR < moment.year < MAXYEAR:
                return moment
            detail = f"must be between the years {MINYEAR + 1} and {MAXYEAR - 1}"
    errors.append(FieldError(pointer="#/time", detail=detail))
    return None


def _data(raw: Mapping[str, Any], errors: list[FieldError]) -> dict[str, Any]:
    if "data" in raw and "data_base64" in raw:
        errors.append(FieldError(pointer="#/data_base64", detail="give data or data_base64"))
    content_type = raw.get("datacontenttype")
    if content_type is not None and not _is_json_type(content_type):
        errors.append(FieldError(pointer="#/datacontenttype", detail="must be application/json"))
    data: Any = raw.get("data")
    pointer = "#/data"
    if "data_base64" in raw and "data" not in raw:
        pointer = "#/data_base64"
        try:
            data = loads(base64.b64decode(raw["data_base64"], validate=True))
        except (TypeError, ValueError, binascii.Error, UnreadableJson) as error:
            errors.append(FieldError(pointer=pointer, detail=f"must be base64 of JSON: {error}"))
            return {}
    if data is None:
        data = {}
    if not isinstance(data, dict):
        errors.append(FieldError(pointer=pointer, detail="must be a JSON object"))
        return {}
    return data


def _is_json_type(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    essence = value.split(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _extensions(
    raw: Mapping[str, Any], errors: list[FieldError], *, strict: bool
) -> dict[str, Any]:
    extensions: dict[str, Any] = {}
    allowed = _STRICT_EXTENSION if strict else _EXTENSION
    for name, value in raw.items():
        if name in KNOWN:
            continue
        if not allowed.match(name):
            rule = "lower-case letters and digits" if strict else "letters, digits, - and _"
            errors.append(
                FieldError(pointer=f"#/{name[:64]}", detail=f"an extension's name has {rule} only")
            )
        elif strict and not isinstance(value, str | int | bool | None):
            errors.append(
                FieldError(pointer=f"#/{name}", detail="must be a string, integer or boolean")
            )
        elif isinstance(value, str) and _unstorable(value):  # a header, percent-decoded
            errors.append(FieldError(pointer=f"#/{name}", detail=_unstorable(value)))
        elif value is not None:
            extensions[name] = value
    schema = raw.get("dataschema")
    if isinstance(schema, str) and _unstorable(schema):
        errors.append(FieldError(pointer="#/dataschema", detail=_unstorable(schema)))
    elif schema is not None:
        extensions["dataschema"] = schema
    return extensions


def _unstorable(value: str) -> str:
    if "\x00" in value:
        return "must not contain the character U+0000"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "must not contain a lone surrogate"
    return ""
