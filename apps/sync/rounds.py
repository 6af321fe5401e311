"""What is looked at every few minutes: which senders fell silent, which bodies have expired."""

from datetime import datetime

from apps.sync.forgetting import forget_expired
from apps.sync.models import Connection
from apps.sync.receiving import rhythm_of, subject_of
from apps.sync.silence import ENOUGH, get_limit, is_silent
from pms_events.catalogue.operations import ConnectionSilent
from pms_events.publishing import publish
from pms_events.rounds import each_round

_AT_ONCE = 10_000


@each_round
def tell_silent_connections(now: datetime) -> None:
    """State `connection.silent` of each enabled connection that exceeded its limit, once a silence."""
    for connection in Connection.objects.filter(is_enabled=True, silent_since=None):
        limit = get_limit(rhythm_of(connection), silent_after=connection.silent_after)
        since = max(filter(None, [connection.last_received_at, connection.watched_since]))
        if limit is None or not is_silent(limit, since=since, now=now):
            continue
        # Only if it still is as it was seen: it may speak, or be changed, at this very moment.
        is_ours = Connection.objects.filter(
            pk=connection.pk,
            is_enabled=True,
            silent_since=None,
            silent_after=connection.silent_after,
            last_received_at=connection.last_received_at,
            watched_since=connection.watched_since,
        ).update(silent_since=since)
        if is_ours:
            usual = connection.usual_gap if connection.gaps_seen >= ENOUGH else None
            payload = ConnectionSilent(
                connection_id=str(connection.pk),
                name=connection.name,
                silent_since=since,
                last_received_at=connection.last_received_at,
                limit_seconds=int(limit.total_seconds()),
                usual_gap_seconds=None if usual is None else int(usual.total_seconds()),
            )
            # The id names the silence: with another limit it is the same one, told once.
            publish(
                payload,
                subject=subject_of(connection.pk),
                id=f"connection.silent:{connection.pk}:{since.isoformat()}",
            )


@each_round
def forget_expired_bodies(now: datetime) -> None:
    """Delete received bodies whose time is over, read or not; what is left waits for the next round."""
    forget_expired(now=now, at_most=_AT_ONCE)
