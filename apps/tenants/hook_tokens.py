"""Tokens of `/hooks/{token}`: making them and recognising them. A token is `hk_<256 random bits>`."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from apps.tenants.entering import TenantRef
from apps.tenants.models import HookToken

_LONGEST = 100


def create_token(tenant: TenantRef, *, connection_id: UUID) -> str:
    """Make a token that names this tenant and connection; gives its text, which is shown once."""
    text = f"hk_{secrets.token_urlsafe(32)}"
    HookToken.objects.create(
        token_hash=_digest(text), tenant_id=tenant.id, connection_id=connection_id
    )
    return text


def replace_token(tenant: TenantRef, *, connection_id: UUID, old_until: datetime) -> str:
    """Make a new token; the newest one until now is valid until `old_until`, any older is not."""
    ours = HookToken.objects.filter(tenant_id=tenant.id, connection_id=connection_id)
    ours.exclude(valid_until=None).delete()
    ours.update(valid_until=old_until)
    return create_token(tenant, connection_id=connection_id)


def delete_tokens(tenant: TenantRef, *, connection_id: UUID) -> None:
    """Forget a connection's tokens: whoever posts to them is told 404."""
    HookToken.objects.filter(tenant_id=tenant.id, connection_id=connection_id).delete()


def find_token(text: str, *, now: datetime) -> HookToken | None:
    """Recognise a token that may be used now, of an active tenant.

    Looked up by its hash: with 256 random bits, nothing can be learned from how long that takes.
    """
    if len(text) > _LONGEST:
        return None
    return (
        HookToken.objects.select_related("tenant")
        .filter(Q(valid_until=None) | Q(valid_until__gt=now), token_hash=_digest(text))
        .filter(tenant__is_active=True)
        .first()
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
