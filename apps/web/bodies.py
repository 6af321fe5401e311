"""The bytes of a request's body, as they came."""

from django.http import HttpRequest

from apps.web.problems import Problem


def read_body(request: HttpRequest, *, at_most: int, advice: str) -> bytes:
    """Read the whole body. Raises: Problem 413 when it has more than `at_most` bytes."""
    # A chunked body announces no length, for which Django reads none of it; the server ends it.
    is_chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    source = request.META["wsgi.input"] if is_chunked else request
    body: bytes = source.read(at_most + 1)
    if len(body) > at_most:
        raise Problem(413, f"The body is larger than {at_most} bytes: {advice}.")
    return body
