"""Handing a mail in at the operator's server: one message, bounded in time from connect to last word."""

import smtplib
import socket
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from apps.sync.deadlines import Deadline
from apps.sync.sending import explain
from apps.sync.spoken import Answer

_HIDDEN = "•••"
ASKED = "in-answer-to"
"""Names the header of an answer that says which step of SMTP the server answered."""


class _Watched(smtplib.SMTP):
    """SMTP with an end, that keeps what the server said to the whole message."""

    _deadline: Deadline
    _taken: list[Answer]

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect; the time is shared out to the host's addresses, so that one dead one is no end."""
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        share = self._deadline.remaining() / max(1, len(addresses))
        connected = socket.create_connection((host, port), share)
        connected.settimeout(self._deadline.remaining())
        self._deadline.watch(connected)
        return connected

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, said = super().data(msg)
        if code == 250:
            self._taken.append(_answer(code, said, asked="DATA"))
        return code, said


class _Given:
    """A mixin that takes the deadline and the list before smtplib, which connects at once."""

    def __init__(self, *args: Any, deadline: Deadline, taken: list[Answer], **options: Any) -> None:
        self._deadline = deadline
        self._taken = taken
        super().__init__(*args, **options)


class _Smtp(_Given, _Watched):
    """SMTP, with STARTTLS if asked for."""


class _SmtpOverTls(_Given, smtplib.SMTP_SSL, _Watched):
    """SMTP over TLS from the first byte: SMTP_SSL wraps the socket that `_Watched` opens."""


class _Backend(EmailBackend):
    """Django's SMTP backend over connections with an end."""

    def __init__(self, *, deadline: Deadline, taken: list[Answer]) -> None:
        self._options: dict[str, Any] = {"deadline": deadline, "taken": taken}
        super().__init__(timeout=deadline.remaining())

    @property
    def connection_class(self) -> Any:
        kind = _SmtpOverTls if self.use_ssl else _Smtp
        return partial(kind, **self._options)


def hand_in(message: EmailMessage) -> Answer:
    """Hand a message in at EMAIL_URL's server within SMTP_TIMEOUT; what goes wrong is an answer too.

    What the server took is taken, also when it falls silent before we could take our leave.
    """
    taken: list[Answer] = []
    with Deadline(settings.SMTP_TIMEOUT) as deadline:
        try:
            _Backend(deadline=deadline, taken=taken).send_messages([message])
        except OSError as error:  # smtplib's own are among them
            if not taken:
                return _read(error, deadline)
    return taken[0]


def _read(error: OSError, deadline: Deadline) -> Answer:
    """Turn what smtplib raises into an answer: at which step, with which code."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, said = next(iter(refused.values()))
            return _answer(code, said, asked="RCPT TO")
        case smtplib.SMTPSenderRefused():
            asked = "MAIL FROM"
        case smtplib.SMTPDataError():
            asked = "DATA"
        case smtplib.SMTPAuthenticationError():
            asked = "AUTH"
        case smtplib.SMTPHeloError():
            asked = "EHLO"
        case smtplib.SMTPConnectError():
            asked = "connecting"
        case _:
            asked = "a command"
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error, asked=asked)
    return Answer(status=None, error=_without_credentials(explain(error, deadline)))


def _answer(code: int, said: bytes | str, *, asked: str) -> Answer:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = _without_credentials(text)
    if not 200 <= code < 600:
        return Answer(status=None, error=f"no answer of SMTP to {asked}: {text}"[:200])
    return Answer(status=code, headers={ASKED: asked}, body=text.encode("utf-8", "replace"))


def _without_credentials(text: str) -> str:
    """Some servers repeat as whom one tried to log in."""
    for known in (settings.EMAIL_HOST_PASSWORD, settings.EMAIL_HOST_USER):
        text = text.replace(known, _HIDDEN) if known else text
    return text
