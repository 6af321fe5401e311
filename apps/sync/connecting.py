"""What is done to connections. The tokens in the shared schema change in the same transaction.

Each change locks the connection's row first, so that of two rotations at once neither leaves a token or
secret that nobody was shown.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.sync.connectors.registry import UnknownConnector, get_connector, list_connectors
from apps.sync.forgetting import forget_of
from apps.sync.models import Connection
from apps.sync.secrets import PREFIX, UnreadableSecret, decrypt, encrypt, new_secret
from apps.tenants.entering import current_tenant
from apps.tenants.hook_tokens import create_token, delete_tokens, replace_token

OLD_TOKEN_LASTS = OLD_SECRET_LASTS = timedelta(hours=24)
SHORTEST_LIMIT = timedelta(minutes=1)
LONGEST_LIMIT = timedelta(days=366)
_SECRET_BYTES = range(24, 65)  # what Standard Webhooks allows


class BadConnection(ValueError):
    """A connection that cannot be kept; `field` says which of its fields, the message why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A connection with what is shown this once. None was not made anew."""

    connection: Connection
    token: str | None = None
    secret: str | None = None


class Unset:
    """Marks an argument that was left out, where None says something."""


UNSET = Unset()


def check_name(name: str) -> None:
    """Raises: BadConnection unless it is a name of 1 to 100 characters."""
    if not name.strip() or len(name) > 100:
        raise BadConnection("name", "must have 1 to 100 characters")


def check_connector(name: str) -> None:
    """Raises: BadConnection unless there is such a connector."""
    try:
        get_connector(name)
    except UnknownConnector:
        known = ", ".join(connector.name for connector in list_connectors())
        raise BadConnection("connector", f"there is no '{name}': choose from {known}") from None


def check_silent_after(limit: timedelta | None) -> None:
    """Raises: BadConnection unless it is between a minute and a year, or None."""
    if limit is not None and not SHORTEST_LIMIT <= limit <= LONGEST_LIMIT:
        raise BadConnection("silent_after", "must be between a minute and a year")


def check_secret(secret: str) -> None:
    """Raises: BadConnection unless it is a secret as Standard Webhooks writes them."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) not in _SECRET_BYTES:
        raise BadConnection(
            "secret", f"must be {PREFIX} and base64 of 24 to 64 bytes; leave it out to get one"
        )


def create_connection(
    *,
    name: str,
    connector: str = "generic",
    silent_after: timedelta | None = None,
    is_signed: bool = False,
    secret: str | None = None,
    now: datetime,
) -> Made:
    """Make a connection; gives its token and secret, which are shown once.

    is_signed: make a secret. secret: the sender's own, which is then what it signs with.
    Raises: BadConnection.
    """
    check_name(name)
    check_connector(connector)
    check_silent_after(silent_after)
    if secret is not None:
        check_secret(secret)
    elif is_signed:
        secret = new_secret()
    with transaction.atomic():
        connection = Connection.objects.create(
            name=name,
            connector=connector,
            silent_after=silent_after,
            secret=None if secret is None else encrypt(secret),
            watched_since=now,
            updated_at=now,
        )
        token = create_token(current_tenant(), connection_id=connection.pk)
    return Made(connection=connection, token=token, secret=secret)


def update_connection(
    connection: Connection,
    *,
    name: str | None = None,
    silent_after: timedelta | Unset | None = UNSET,
    is_enabled: bool | None = None,
    is_signed: bool | None = None,
    now: datetime,
) -> Connection:
    """Change what is given, leave the rest; gives the connection as it is now.

    A sender that is enabled, or gets another limit, is judged anew. `is_signed=False` forgets the
    secrets: the token alone is proof from then on.
    Raises: BadConnection, nothing changed; Connection.DoesNotExist.
    """
    if name is not None:
        check_name(name)
    if not isinstance(silent_after, Unset):
        check_silent_after(silent_after)
    with transaction.atomic():
        current = _lock(connection)
        if is_signed and not current.is_signed:
            raise BadConnection("is_signed", "rotate the secret instead: that shows you a new one")
        if is_signed is False:
            current.secret = current.previous_secret = current.previous_valid_until = None
        current.name = current.name if name is None else name
        if not isinstance(silent_after, Unset) and silent_after != current.silent_after:
            current.silent_after = silent_after
            current.silent_since = None
        if is_enabled is not None and is_enabled != current.is_enabled:
            current.is_enabled = is_enabled
            current.watched_since = now
            current.silent_since = None
        current.updated_at = now
        current.save()
    return current


def delete_connection(connection: Connection) -> None:
    """Remove a connection with its tokens and the bodies it brought; unread ones end as discarded.

    Raises: Connection.DoesNotExist.
    """
    with transaction.atomic():
        current = _lock(connection)
        delete_tokens(current_tenant(), connection_id=current.pk)
        forget_of(current.pk)
        current.delete()


def rotate_token(connection: Connection, *, now: datetime) -> Made:
    """Give a connection a new token; the old one works for 24 hours more. Twice ends it at once.

    Raises: Connection.DoesNotExist.
    """
    with transaction.atomic():
        current = _lock(connection)
        token = replace_token(
            current_tenant(), connection_id=current.pk, old_until=now + OLD_TOKEN_LASTS
        )
        Connection.objects.filter(pk=current.pk).update(updated_at=now)
    return Made(connection=current, token=token)


def rotate_secret(connection: Connection, *, secret: str | None = None, now: datetime) -> Made:
    """Give a connection a new secret, or the sender's own; the old one fits for 24 hours more.

    One that had none is signed from now on. An old secret that cannot be read is given up.
    Raises: BadConnection; Connection.DoesNotExist.
    """
    if secret is not None:
        check_secret(secret)
    fresh = secret or new_secret()
    with transaction.atomic():
        current = _lock(connection)
        current.previous_secret = current.previous_valid_until = None
        if current.secret is not None:
            try:
                current.previous_secret = encrypt(decrypt(current.secret))
                current.previous_valid_until = now + OLD_SECRET_LASTS
            except UnreadableSecret:
                pass  # nobody could verify with it
        current.secret = encrypt(fresh)
        current.updated_at = now
        current.save()
    return Made(connection=current, secret=fresh)


def get_secrets(connection: Connection, *, now: datetime) -> list[str]:
    """The secrets that a signature may be made with now; none: it needs none.

    Raises: UnreadableSecret.
    """
    secrets = [] if connection.secret is None else [decrypt(connection.secret)]
    until = connection.previous_valid_until
    if connection.previous_secret is not None and until is not None and now < until:
        secrets.append(decrypt(connection.previous_secret))
    return secrets


def _lock(connection: Connection) -> Connection:
    """Read the row anew and keep others from changing it."""
    return Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
