"""The failures that the core tells apart."""

from dataclasses import dataclass


class PermanentError(Exception):
    """Retrying cannot help: a person has to look. Handlers raise a subclass that says what to do."""


class Unreadable(PermanentError):
    """What came from outside cannot be read at all. Its message says why, without its content."""


class RegistryError(Exception):
    """The catalogue or the handlers contradict themselves. Raised at start-up, names the offender."""


class NotBound(RegistryError):
    """The event store is not bound yet: call `publishing.bind()` in the start-up of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing that is wrong with an event, and where.

    `pointer` is a JSON pointer as a URI fragment (RFC 6901 §6), such as `#/data/stays/0/arrival`.
    """

    pointer: str
    detail: str


class InvalidEvent(ValueError):
    """An event that cannot be accepted; `errors` says what is wrong and where."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{e.pointer}: {e.detail}" for e in errors))
