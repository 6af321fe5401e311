"""Posting to the outside: one request, bounded in time and size, to an address chosen once."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from apps.sync.addresses import resolve
from apps.sync.deadlines import Deadline, WatchedHttpConnection, WatchedHttpsConnection
from apps.sync.spoken import Answer

MAX_RESPONSE = 64 * 1024
_PIECE = 8192


class _PinnedAdapter(HTTPAdapter):
    """Connects to one address, while TLS checks the host name of the URL."""

    def __init__(self, address: str, deadline: Deadline) -> None:
        self._address = address
        self._deadline = deadline
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        host, options = self.build_connection_pool_key_attributes(request, verify, cert)
        pool_options: dict[str, Any] = dict(options)
        is_tls = host["scheme"] == "https"
        if is_tls:
            pool_options["server_hostname"] = pool_options["assert_hostname"] = host["host"]
        host["host"] = self._address
        pool: Any = self.poolmanager.connection_from_host(**host, pool_kwargs=pool_options)
        kind = WatchedHttpsConnection if is_tls else WatchedHttpConnection
        pool.ConnectionCls = partial(kind, deadline=self._deadline)
        found: HTTPConnectionPool = pool
        return found


def post(url: str, *, headers: dict[str, str], body: bytes) -> Answer:
    """Post and read the answer: no redirects, no proxies, HTTP_TIMEOUT from connect to last byte.

    What goes wrong on the way is an answer with an `error`. Raises: BlockedAddress.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False
            # No compression: the answer is only shown, and a bomb must not unfold.
            wanted = {**headers, "Accept-Encoding": "identity"}
            request = session.prepare_request(
                requests.Request("POST", url, headers=wanted, data=body)
            )
            # The URL as requests reads it, so that what is checked is what is called.
            parts = urlsplit(str(request.url))
            port = parts.port or (443 if parts.scheme == "https" else 80)
            address = resolve(parts.hostname or "", port)
            request.headers["Host"] = parts.netloc.rpartition("@")[2]
            with Deadline(settings.HTTP_TIMEOUT) as deadline:
                session.mount(f"{parts.scheme}://", _PinnedAdapter(address, deadline))
                return _send(session, request, deadline)
    except (OSError, HTTPError) as error:
        return Answer(status=None, error=explain(error))


def _send(
    session: requests.Session, request: requests.PreparedRequest, deadline: Deadline
) -> Answer:
    timeout = deadline.remaining()
    try:
        with session.send(
            request, timeout=(timeout, timeout), allow_redirects=False, stream=True
        ) as response:
            if deadline.has_passed():  # cut off amid headers, they look complete
                return Answer(status=None, error=say_late(deadline))
            body, error = _read(response, deadline)
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=body,
                error=error,
            )
    except (OSError, HTTPError) as error:
        return Answer(status=None, error=explain(error, deadline))


def _read(response: requests.Response, deadline: Deadline) -> tuple[bytes, str]:
    """Read at most 64 KiB, a piece at a time; gives what came and what broke it off."""
    read = b""
    try:
        while len(read) < MAX_RESPONSE:
            piece = response.raw.read1(_PIECE, decode_content=False)
            if not piece:
                # A connection that was cut off looks like one that came to its end.
                return read, say_late(deadline) if deadline.has_passed() else ""
            read += piece
    except (OSError, HTTPError) as error:
        return read, explain(error, deadline)
    return read[:MAX_RESPONSE], ""


def say_late(deadline: Deadline) -> str:
    """Say that the deadline came before the answer's end."""
    return f"no complete answer within {deadline.after.total_seconds():g} s"


_IN_WORDS: dict[type[BaseException], str] = {
    ConnectionRefusedError: "connection refused: nothing listens there",
    ConnectionResetError: "the connection was cut by the other side",
}


def explain(error: BaseException, deadline: Deadline | None = None) -> str:
    """Say what broke, from the innermost error: the outer ones repeat the URL and its tokens."""
    if deadline is not None and (deadline.has_passed() or isinstance(error, requests.Timeout)):
        return say_late(deadline)
    while not error.__suppress_context__ or error.__cause__:
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    for kind, words in _IN_WORDS.items():
        if isinstance(error, kind):
            return words
    return f"{type(error).__name__}: {error}"
