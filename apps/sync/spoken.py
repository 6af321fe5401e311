"""What is said in an exchange with the outside, whatever the way."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent: headers and body."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `status` is None when none came; `error` says what went wrong.

    An answer with both broke off in its body. Names of headers are in lower case.
    """

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""
