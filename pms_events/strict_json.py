"""JSON as RFC 8259 means it: what the standard reader lets through is refused here.

Refused: NaN and Infinity, the same key twice in an object, U+0000 and lone surrogates (PostgreSQL
stores neither in jsonb), and nesting deeper than `MAX_DEPTH`.
"""

import json
from collections import Counter
from typing import Any

MAX_DEPTH = 64
_MAX_POINTER = 255


class UnreadableJson(ValueError):
    """The bytes are no JSON that can be stored. `pointer` says where, as far as that is known."""

    def __init__(self, detail: str, pointer: str = "#") -> None:
        self.detail = detail
        self.pointer = pointer
        super().__init__(detail)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise UnreadableJson(f"the key {twice[:80]!r} stands twice in one object")
    return result


def _constant(name: str) -> Any:
    raise UnreadableJson(f"{name} is no JSON number")


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise UnreadableJson(f"the number {text[:40]} is too large")
    return value


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_number
)


def loads(body: bytes) -> Any:
    """Read UTF-8 JSON. Raises: UnreadableJson that says what is wrong and where."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableJson(f"the body is not UTF-8: byte {error.start} cannot be read") from error
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableJson(
            f"malformed JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise UnreadableJson(f"nested deeper than {MAX_DEPTH} levels") from error
    except UnreadableJson:
        raise
    except ValueError as error:  # integers beyond the interpreter's digit limit
        raise UnreadableJson(f"malformed JSON: {error}") from error
    # Only an escape can bring in a NUL or a lone surrogate, and only many brackets can nest deeply;
    # most bodies have neither and are spared the walk.
    if "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH or "\x00" in text:
        _walk(value, "#", 0)
    return value


def _walk(value: Any, pointer: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnreadableJson(f"nested deeper than {MAX_DEPTH} levels", pointer)
    if isinstance(value, str):
        _check_text(value, pointer)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name, pointer)
            _walk(item, _below(pointer, name), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _walk(item, _below(pointer, index), depth + 1)


def _below(pointer: str, step: str | int) -> str:
    """Extend a pointer, cut short: a long key would be copied for each value below it."""
    return f"{pointer}/{step}"[:_MAX_POINTER]


def _check_text(value: str, pointer: str) -> None:
    if "\x00" in value:
        raise UnreadableJson("the character U+0000 cannot be stored", pointer)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UnreadableJson("a lone surrogate cannot be stored", pointer) from error
