"""Operations: what goes wrong with the processing itself, once per cause, for rules and endpoints.

No guest data: they name causes, handlers and ids, and where to look.
"""

from typing import ClassVar

from pms_events.categories import AUTOMATION, P2
from pms_events.event_types import event_type
from pms_events.payloads import AwareDatetime, Identifier, Payload


@event_type("delivery.died", category=AUTOMATION, priority=P2, stream="cause:{fingerprint}")
class DeliveryDied(Payload):
    """Deliveries die of a cause that is new, or was settled or silent for a day (own).

    Once per cause: what dies of it while one of the last 24 hours is open is not told again.
    """

    fingerprint: Identifier
    handler: Identifier
    reason: Identifier
    about: Identifier
    sentence: str
    dead_letter_id: Identifier

    example: ClassVar = {
        "fingerprint": "9f86d081884c7d65",
        "handler": "bookings.record_booking",
        "reason": "permanent",
        "about": "booking.created",
        "sentence": "bookings.record_booking failed for booking.created: UnknownProperty",
        "dead_letter_id": "0197c1de-0000-7000-8000-000000000000",
    }


@event_type("fallback.grown", category=AUTOMATION, priority=P2, stream="cause:{fingerprint}")
class FallbackGrown(Payload):
    """The fallback queue rose to a level: 10, 100, 1,000, 10,000 that need a person (own).

    Not told again before the queue was worked off to half of the level. `open` stops counting at the
    highest level (`is_capped`). The most frequent cause is named, and how many are of it (`share`).
    """

    level: int
    open: int
    is_capped: bool
    fingerprint: Identifier
    handler: Identifier
    reason: Identifier
    share: int
    since: AwareDatetime

    example: ClassVar = {
        "level": 100,
        "open": 137,
        "is_capped": False,
        "fingerprint": "9f86d081884c7d65",
        "handler": "bookings.record_booking",
        "reason": "permanent",
        "share": 130,
        "since": "2027-06-01T10:00:00Z",
    }


@event_type("category.stalled", category=AUTOMATION, priority=P2, stream="category:{name}")
class CategoryStalled(Payload):
    """Work of this tenant is ready and nothing of its category has moved for too long (own)."""

    name: Identifier
    since: AwareDatetime

    example: ClassVar = {"name": "messaging", "since": "2027-06-01T10:00:00Z"}


@event_type("category.recovered", category=AUTOMATION, priority=P2, stream="category:{name}")
class CategoryRecovered(Payload):
    """A category that stalled moves again (own). To whom the stall was told, this is told too."""

    name: Identifier
    stalled_since: AwareDatetime

    example: ClassVar = {"name": "messaging", "stalled_since": "2027-06-01T10:00:00Z"}


@event_type("endpoint.disabled", category=AUTOMATION, priority=P2, stream="endpoint:{endpoint_id}")
class EndpointDisabled(Payload):
    """A receiver is not sent anything any more (own): a person, or its own answer, switched it off."""

    endpoint_id: Identifier
    host: str
    reason: str

    example: ClassVar = {
        "endpoint_id": "0197c1de-0000-7000-8000-000000000001",
        "host": "hooks.example.com",
        "reason": "it answered 410 Gone",
    }


@event_type(
    "connection.silent", category=AUTOMATION, priority=P2, stream="connection:{connection_id}"
)
class ConnectionSilent(Payload):
    """An outside sender has said nothing for longer than it usually does, or may (own).

    Once per silence. `limit_seconds` is what was exceeded; `usual_gap_seconds` is missing while a
    person's limit judges a sender that is not known well yet.
    """

    connection_id: Identifier
    name: str
    silent_since: AwareDatetime
    last_received_at: AwareDatetime | None = None
    limit_seconds: int
    usual_gap_seconds: int | None = None

    example: ClassVar = {
        "connection_id": "0197c1de-0000-7000-8000-000000000002",
        "name": "Channel manager",
        "silent_since": "2027-06-01T10:00:00Z",
        "last_received_at": "2027-06-01T10:00:00Z",
        "limit_seconds": 86400,
        "usual_gap_seconds": 1800,
    }


@event_type(
    "connection.resumed", category=AUTOMATION, priority=P2, stream="connection:{connection_id}"
)
class ConnectionResumed(Payload):
    """An outside sender that was told to be silent has sent something again (own)."""

    connection_id: Identifier
    name: str
    silent_since: AwareDatetime

    example: ClassVar = {
        "connection_id": "0197c1de-0000-7000-8000-000000000002",
        "name": "Channel manager",
        "silent_since": "2027-06-01T10:00:00Z",
    }
