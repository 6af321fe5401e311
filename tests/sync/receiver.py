"""A real HTTP receiver on loopback: records what it is sent, answers a script, drips if told to."""

import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to one request. Every byte of `raw` goes out as it is, instead of the rest.

    drip: seconds between the bytes. hold: say nothing more until the receiver closes.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes = b""
    drip: float = 0
    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request. Names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Answers `replies` in turn, then 200 for ever. Use it as a context manager.

    received: the requests so far. broken: how many answers the other side cut off.
    """

    def __init__(self, *replies: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.broken = threading.Event()
        self._replies = list(replies)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, request: Received) -> Reply:
        """Record a request and give the answer to it."""
        with self._lock:
            self.received.append(request)
            return self._replies.pop(0) if self._replies else Reply()

    def pause(self, seconds: float | None) -> bool:
        """Wait, but no longer than the receiver is open; tells whether it still is."""
        return not self._closing.wait(seconds)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = receiver.take(Received(path=self.path, headers=headers, body=body))
            try:
                self._answer(reply)
            except OSError:
                receiver.broken.set()

        def _answer(self, reply: Reply) -> None:
            said = reply.raw or self._written(reply)
            pieces: Sequence[bytes] = [said]
            if reply.drip:
                pieces = [said[i : i + 1] for i in range(len(said))]
            for piece in pieces:
                self.wfile.write(piece)
                if reply.drip and not receiver.pause(reply.drip):
                    return
            if reply.hold:
                receiver.pause(None)

        def _written(self, reply: Reply) -> bytes:
            headers = {"Content-Length": str(len(reply.body)), **reply.headers}
            lines = [f"HTTP/1.1 {reply.status} As told", *(f"{k}: {v}" for k, v in headers.items())]
            return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + reply.body

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test run's output to the tests."""

    return Handler
