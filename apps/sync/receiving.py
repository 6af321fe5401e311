"""Taking in what an outside sender posts: prove it, store it as it came, say that it is there.

Nothing is understood here, so that nothing can be wrong with it: reading is a step of its own, with a
retry of its own (`unpacking`).
"""

import json
import logging
from datetime import datetime
from uuid import UUID, uuid5

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import F

from apps.sync.connecting import get_secrets
from apps.sync.connectors.registry import NotAuthentic, Received, get_connector
from apps.sync.models import Connection, Reception
from apps.sync.secrets import seal, unseal
from apps.sync.silence import Rhythm, learn
from apps.tenants.entering import current_schema
from pms_events.catalogue.operations import ConnectionResumed
from pms_events.catalogue.sync import ConnectionBodyReceived
from pms_events.errors import Unreadable
from pms_events.publishing import publish

log = logging.getLogger(__name__)

_CONTENT_TYPE = "content-type"


def authenticate(connection: Connection, received: Received, *, now: datetime) -> None:
    """Check the request as the connector asks for it; one that fails is counted, and that is all.

    Raises: NotAuthentic; UnreadableSecret and UnknownConnector, when nobody can tell.
    """
    connector = get_connector(connection.connector)
    try:
        connector.authenticate(received, secrets=get_secrets(connection, now=now), now=now)
    except NotAuthentic:
        Connection.objects.filter(pk=connection.pk).update(
            refused_count=F("refused_count") + 1, last_refused_at=now
        )
        log.warning(
            "hook refused", extra={"tenant": current_schema(), "connection": str(connection.pk)}
        )
        raise


def receive(connection: Connection, received: Received, *, now: datetime) -> UUID:
    """Store a body and state that it is there, in one transaction; gives the reception's id.

    A repeat of a delivery that is known is heard, and stored no second time while its body is kept:
    one that expired unread may come again. A disabled connection takes in too, since most senders
    never send again what was refused.
    Raises: UnknownConnector; Connection.DoesNotExist when it was deleted meanwhile.
    """
    connector = get_connector(connection.connector)
    reception_id = uuid5(connection.pk, connector.identify(received))
    payload = ConnectionBodyReceived(connection_id=connection.pk, reception_id=reception_id)
    with transaction.atomic():
        publish(payload, subject=subject_of(connection.pk), id=f"reception:{reception_id}")
        if not Reception.objects.filter(pk=reception_id).exists():
            kept = {
                name: value
                for name, value in received.headers.items()
                if name == _CONTENT_TYPE or connector.kept_headers(name)
            }
            reception = Reception(
                pk=reception_id,
                connection=connection,
                received_at=now,
                size=len(received.body),
                sealed=seal(json.dumps(kept).encode() + b"\n" + received.body),
                expires_at=now + settings.RAW_BODIES_KEPT,
            )
            # The same delivery may come twice at this very moment.
            Reception.objects.bulk_create([reception], ignore_conflicts=True)
        _hear(connection, now=now)
    return reception_id


def open_reception(reception: Reception) -> Received:
    """Read a stored body. Raises: Unreadable when its key is gone."""
    try:
        headers, _, body = unseal(reception.sealed).partition(b"\n")
    except InvalidToken as error:
        raise Unreadable(
            f"the body {reception.pk} cannot be decrypted: bring back the old key in "
            "FIELD_ENCRYPTION_KEYS, then retry"
        ) from error
    return Received(headers=json.loads(headers), body=body)


def subject_of(connection_id: UUID | str) -> str:
    """The subject of events about a connection."""
    return f"connection:{connection_id}"


def _hear(connection: Connection, *, now: datetime) -> None:
    """Count a reception and learn from the gap. Last in its transaction: this row is locked."""
    current = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    current.received_count += 1
    before = current.last_received_at
    if before is not None:
        rhythm = learn(rhythm_of(current), now - before)
        current.usual_gap, current.longest_gap = rhythm.usual_gap, rhythm.longest_gap
        current.gaps_seen = rhythm.gaps_seen
    current.last_received_at = now if before is None else max(before, now)
    silent_since, current.silent_since = current.silent_since, None
    current.save(
        update_fields=[
            "received_count", "last_received_at", "usual_gap", "longest_gap", "gaps_seen",
            "silent_since",
        ]
    )  # fmt: skip
    if silent_since is not None:
        resumed = ConnectionResumed(
            connection_id=str(current.pk), name=current.name, silent_since=silent_since
        )
        publish(
            resumed,
            subject=subject_of(current.pk),
            id=f"connection.resumed:{current.pk}:{silent_since.isoformat()}",
        )


def rhythm_of(connection: Connection) -> Rhythm:
    """What was learned about how a connection sends."""
    known = Rhythm()
    return Rhythm(
        gaps_seen=connection.gaps_seen,
        usual_gap=connection.usual_gap or known.usual_gap,
        longest_gap=connection.longest_gap or known.longest_gap,
    )
