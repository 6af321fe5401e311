"""API keys: making them and recognising them. A key is `pms_<prefix>_<secret>`."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from apps.tenants.models import ApiKey, Tenant

SCOPES = ("events:read", "events:write", "fallback", "replays", "config")
ALL_SCOPES = list(SCOPES)
MOST_NAME = 100
_NOBODY = hashlib.sha256(b"").digest()
_USED_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made. `text` is shown once and cannot be found out again."""

    text: str
    key: ApiKey


def create_key(
    tenant: Tenant,
    *,
    name: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key with 256 random bits.

    Raises: ValueError for a scope that does not exist, or a name that is empty or too long.
    """
    if not 0 < len(name.strip()) <= MOST_NAME:
        raise ValueError(f"a key's name says what it is for, in 1 to {MOST_NAME} characters")
    scopes = ALL_SCOPES if scopes is None else scopes
    if not scopes:
        raise ValueError(f"a key without a scope opens nothing: choose from {', '.join(SCOPES)}")
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise ValueError(f"unknown scope {sorted(unknown)}: choose from {', '.join(SCOPES)}")
    prefix, secret = secrets.token_hex(6), secrets.token_hex(32)
    key = ApiKey.objects.create(
        tenant=tenant,
        name=name,
        prefix=prefix,
        secret_hash=_digest(secret),
        scopes=scopes,
        expires_at=expires_at,
    )
    return NewKey(text=f"pms_{prefix}_{secret}", key=key)


def find_key(text: str, *, now: datetime) -> ApiKey | None:
    """Recognise a key that may be used now. An unknown one takes as long as a known one."""
    parts = text.split("_")
    prefix, secret = (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "pms" else ("", "")
    key = (
        ApiKey.objects.select_related("tenant")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), prefix=prefix, revoked_at=None)
        .first()
    )
    expected = bytes(key.secret_hash) if key else _NOBODY
    if not hmac.compare_digest(_digest(secret), expected) or key is None:
        return None
    if not key.tenant.is_active:
        return None
    if key.last_used_at is None or now - key.last_used_at > _USED_RESOLUTION:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
