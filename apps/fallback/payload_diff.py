"""What a correction changed, field by field."""

from collections.abc import Mapping
from typing import Any


def diff(before: Any, after: Any, pointer: str = "") -> list[dict[str, Any]]:
    """List the changes as `{"pointer", "before"?, "after"?}`; an absent side has no such member.

    Pointers are JSON pointers (RFC 6901). Lists of another length are one change.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changes = []
        for name in sorted({*before, *after}):
            where = f"{pointer}/{_escape(name)}"
            if name not in after:
                changes.append({"pointer": where, "before": before[name]})
            elif name not in before:
                changes.append({"pointer": where, "after": after[name]})
            else:
                changes += diff(before[name], after[name], where)
        return changes
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            change
            for index, (old, new) in enumerate(zip(before, after, strict=True))
            for change in diff(old, new, f"{pointer}/{index}")
        ]
    # In JSON true is not 1, though in Python it equals it.
    same = before == after and isinstance(before, bool) == isinstance(after, bool)
    return [] if same else [{"pointer": pointer, "before": before, "after": after}]


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
