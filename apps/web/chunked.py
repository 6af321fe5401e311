"""Bodies of unknown length: Django reads none of them, so they are given one before it looks."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from apps.web.parsing import read_body
from apps.web.problems import CONTENT_TYPE, Problem, write

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def with_chunked_bodies(application: Application) -> Application:
    """Wrap a WSGI application so that it sees chunked bodies as it sees all others.

    Without it, a chunked request is taken for one without a body: a retry for one without a
    correction, a wish for one that says nothing. Needs a server that ends the body by itself.
    """

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            return application(environ, start_response)
        try:
            body = read_body(environ["wsgi.input"])
        except Problem as problem:
            headers = [("Content-Type", CONTENT_TYPE), ("Connection", "close")]
            start_response(f"{problem.status_code} {problem.problem['title']}", headers)
            return [write(problem.problem)]
        del environ["HTTP_TRANSFER_ENCODING"]
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        return application(environ, start_response)

    return call
