"""Reading what connections brought: the step after the hook, with a retry of its own.

On the workers of bookings, which is what mostly comes: those of sync wait for receivers that hang.
"""

from apps.sync import unpacking
from apps.sync.models import Reception
from pms_events.catalogue.sync import ConnectionBodyReceived, ConnectionEventRejected
from pms_events.categories import BOOKINGS
from pms_events.context import Context
from pms_events.errors import Unreadable
from pms_events.handlers import handles
from pms_events.outcomes import Discard, Done, Outcome

_DELETED = "the connection was deleted"


@handles(ConnectionBodyReceived, category=BOOKINGS)
def read_body(event: ConnectionBodyReceived, context: Context) -> Outcome:
    """Publish the events of a received body. Safe to run twice: each is known by its source and id.

    A body that expired unread is a dead letter, not silence; replayed, it has nothing new to tell.
    """
    connection = unpacking.get_enabled(event.connection_id)
    if connection is None:
        return Discard(_DELETED)
    reception = Reception.objects.filter(pk=event.reception_id, connection=connection).first()
    if reception is None and context.is_replay:
        return Discard("the body has expired: replay the events that it carried")
    if reception is None:
        raise Unreadable(
            f"the body {event.reception_id} expired before it was read: ask the sender of "
            f"'{connection.name}' to send it again, then retry this; or discard"
        )
    return Done(str(unpacking.unpack(connection, reception, now=context.now)))


@handles(ConnectionEventRejected, category=BOOKINGS)
def accept_event(event: ConnectionEventRejected, context: Context) -> Outcome:
    """Accept an event of a body once it is right. Safe to run twice: known by its source and id.

    As it came it fails here, for the reason that a person then reads; corrected, it is published.
    """
    if unpacking.get_enabled(event.connection_id) is None:
        return Discard(_DELETED)
    return Done(unpacking.accept(event.event))
