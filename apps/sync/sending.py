"""Posting to the outside: one request, bounded in time and size, to an address chosen once."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from apps.sync.addresses import resolve

MAX_RESPONSE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `status` is None when nothing did, and `error` says why."""

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""


class _PinnedAdapter(HTTPAdapter):
    """Connects to one address, while TLS checks the host name of the URL."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        host, options = self.build_connection_pool_key_attributes(request, verify, cert)
        pool: dict[str, Any] = dict(options)
        if host["scheme"] == "https":
            pool["server_hostname"] = pool["assert_hostname"] = host["host"]
        host["host"] = self._address
        return self.poolmanager.connection_from_host(**host, pool_kwargs=pool)


def post(url: str, *, headers: dict[str, str], body: bytes) -> Answer:
    """Post and read the answer: no redirects, no proxies, one deadline for all of it.

    What goes wrong on the way is an answer without status. Raises: BlockedAddress.
    """
    timeout = settings.HTTP_TIMEOUT.total_seconds()
    deadline = time.monotonic() + timeout
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = resolve(parts.hostname or "", port)
        with requests.Session() as session:
            session.trust_env = False
            session.mount(f"{parts.scheme}://", _PinnedAdapter(address))
            with session.post(
                url,
                data=body,
                headers={**headers, "Host": parts.netloc},
                timeout=(timeout, timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                read = _read(response, deadline)
                return Answer(
                    status=response.status_code, headers=dict(response.headers), body=read
                )
    except (requests.RequestException, OSError) as error:
        return Answer(status=None, error=f"{type(error).__name__}: {error}"[:500])


def _read(response: requests.Response, deadline: float) -> bytes:
    """Read at most 64 KiB, a piece at a time, so that a dripping answer cannot hold us."""
    read = b""
    while len(read) < MAX_RESPONSE:
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took longer than the HTTP timeout")
        piece = response.raw.read1(8192, decode_content=True)
        if not piece:
            break
        read += piece
    return read
