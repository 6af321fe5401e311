"""Tenants' own facts: free in shape, routed to their endpoints."""

from typing import ClassVar

from pydantic import ConfigDict

from pms_events.categories import AUTOMATION, P3
from pms_events.event_types import event_type
from pms_events.payloads import Payload


@event_type("custom.*", category=AUTOMATION, priority=P3)
class Custom(Payload):
    """A tenant's own fact, `custom.<anything>`, with any JSON object as data."""

    model_config = ConfigDict(extra="allow", frozen=True)

    example: ClassVar = {"room": "101", "what": "minibar refilled"}
