"""The web server's worker: what it refuses before Django sees it is a problem, as all errors are."""

import json
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

_CONTENT_TYPE = "application/problem+json"


class Worker(ThreadWorker):
    """A worker with threads. Requests that are no HTTP, or whose headers are too large, end here."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        super().handle_error(req, _Problems(client), addr, exc)


class _Problems:
    """A socket that says as a problem what gunicorn says as a page; all else is the real one's."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, page: bytes) -> None:
        status = HTTPStatus(int(page.split(b" ", 2)[1]))
        problem = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": status.description or "The request cannot be read.",
        }
        body = json.dumps(problem, separators=(",", ":"))
        self._client.sendall(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: {_CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
