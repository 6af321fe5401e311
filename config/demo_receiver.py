"""A receiver of webhooks for the demo: `/…/good` takes everything, `/…/down` fails until mended."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class Receiver:
    """An HTTP server on loopback that remembers what it took, by path and webhook-id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_down = True
        self._refused = 0
        self.taken: Counter[tuple[str, str]] = Counter()
        self.subjects: dict[str, set[str]] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(self.path, self.headers["webhook-id"], body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep the demo's screen to the demo."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, message_id: str, body: bytes) -> int:
        """Answer one request."""
        with self._lock:
            if path.endswith("/down") and self._is_down:
                self._refused += 1
                return 503
            tenant = path.split("/")[1]
            self.taken[(path, message_id)] += 1
            self.subjects.setdefault(tenant, set()).add(json.loads(body)["subject"])
            return 200

    def mend(self) -> None:
        self._is_down = False

    def refused(self) -> bool:
        return self._refused > 0

    def count(self, tenant: str) -> int:
        """How many requests of a tenant were taken."""
        with self._lock:
            return sum(n for (path, _), n in self.taken.items() if path.startswith(f"/{tenant}/"))
