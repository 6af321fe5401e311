"""The outside of the chaos run: takes what is sent, remembers when each talk began and ended."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One request as the receiver saw it; times of the monotonic clock, in seconds."""

    tenant: str
    event_id: str
    stream: str
    n: int
    key: str
    pid: int
    status: int
    began: float
    ended: float


class Outside:
    """A receiver on loopback; every 23rd request is slow and every 17th fails."""

    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self._count = 0
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._pause.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, body: bytes) -> int:
        began = time.monotonic()
        with self._lock:
            self._count += 1
            count = self._count
        if count % 23 == 0:
            self._pause.wait(0.4)
        status = 503 if count % 17 == 0 else 200
        with self._lock:
            talk = Talk(**json.loads(body), status=status, began=began, ended=time.monotonic())
            self.talks.append(talk)
        return status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status = take(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the report does."""

        return Handler
