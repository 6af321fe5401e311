"""Signing secrets: made, shown once as `whsec_…`, kept encrypted (Fernet; newest key first).

Received bodies are sealed with the same keys.
"""

import base64
import os
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from pms_events.errors import PermanentError

PREFIX = "whsec_"


class UnreadableSecret(PermanentError):
    """A secret was encrypted with a key that is not in FIELD_ENCRYPTION_KEYS any more."""


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def new_secret() -> str:
    """Make a secret of 256 random bits, in the form of Standard Webhooks."""
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def encrypt(secret: str) -> bytes:
    """Encrypt a secret for storing."""
    return seal(secret.encode())


def decrypt(stored: bytes | memoryview) -> str:
    """Read a stored secret. Raises: UnreadableSecret."""
    try:
        return unseal(stored).decode()
    except InvalidToken as error:
        raise UnreadableSecret(
            "the secret cannot be read: bring back the old key in "
            "FIELD_ENCRYPTION_KEYS, or rotate the secret, then retry"
        ) from error


def seal(content: bytes) -> bytes:
    """Encrypt any bytes for storing."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(content)


def unseal(stored: bytes | memoryview) -> bytes:
    """Read what was sealed. Raises: InvalidToken when its key is not in FIELD_ENCRYPTION_KEYS."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(bytes(stored))
