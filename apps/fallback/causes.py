"""What failures have in common: the name of a cause, and its message without what varies."""

import hashlib
import re
from collections.abc import Sequence

_VARYING = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|0x[0-9a-fA-F]+|'[^']*'|\"[^\"]*\"|\d+(?:[.:-]\d+)*"
)


def fingerprint(handler: str, reason: str, error_class: str, message: str) -> str:
    """Name the cause of a failure: equal where only ids, numbers and quotes differ."""
    shape = _VARYING.sub("#", message.split("\n")[0])[:300]
    text = "\x1f".join((handler, reason, error_class, shape))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def generalize(message: str, others: Sequence[str]) -> tuple[str, list[str]]:
    """Leave out of a message what is different in others of its cause; gives that, too, in order.

    "there is no property 'a'" beside one of 'b' is "there is no property …", with "'a'" and "'b'".
    """
    own = _VARYING.findall(message)
    alike = [found for other in others if len(found := _VARYING.findall(other)) == len(own)]
    varies = [any(found[n] != own[n] for found in alike) for n in range(len(own))]
    if not any(varies):
        return message, []
    first = varies.index(True)
    values = dict.fromkeys([own[first], *(found[first] for found in alike)])
    places = iter(varies)
    text = _VARYING.sub(lambda match: "…" if next(places) else match.group(), message)
    return text, list(values)
