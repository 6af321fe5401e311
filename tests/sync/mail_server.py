"""A real SMTP server on loopback: keeps the mail it takes, refuses by script, hangs if told to."""

# ruff: noqa: N802 - aiosmtpd finds its hooks by these names
import asyncio
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pytest_django.fixtures import Settings

HANG = "hang"
SENDER = "PMS events <alerts@pms.example>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message as the server took it, and for whom."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        return str(self.message.get_content()).replace("\r\n", "\n")


class MailServer:
    """Answers MAIL, RCPT, DATA and EHLO by script, in turn, then yes for ever. A context manager.

    `MailServer(RCPT=["450 4.2.0 later"])`; HANG says nothing until the other side goes away.
    login: how it refuses one. tls: from the first byte. starttls: once it is asked for, and wanted.
    received: what it took.
    """

    def __init__(
        self, *, login: str = "", tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None, **script: Sequence[str],
    ) -> None:  # fmt: skip
        self.received: list[Mail] = []
        self.asked: list[str] = []
        self._script = {name: list(replies) for name, replies in script.items()}
        self._login = login
        self._tls = tls
        self._starttls = starttls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        made = self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=self._tls)
        self._server = asyncio.run_coroutine_threadsafe(made, self._loop).result(10)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set_up(self, settings: Settings, **others: Any) -> None:
        """Make this the operator's mail server for the test."""
        wanted: Mapping[str, Any] = {
            "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": self.port, "DEFAULT_FROM_EMAIL": SENDER, **others
        }  # fmt: skip
        for name, value in wanted.items():
            setattr(settings, name, value)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _protocol(self) -> SMTP:
        return SMTP(
            self, hostname="mail.test", loop=self._loop, auth_require_tls=False,
            tls_context=self._starttls, require_starttls=self._starttls is not None,
            authenticator=self._refuse_login if self._login else None,
        )  # fmt: skip

    def _refuse_login(self, *_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False, message=self._login)

    async def _next(self, name: str) -> str:
        self.asked.append(name)
        replies = self._script.get(name)
        said = replies.pop(0) if replies else ""
        if said == HANG:
            await asyncio.Event().wait()
        return said

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        said = await self._next("EHLO")
        return [said] if said else answers

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._next("MAIL") or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = await self._next("RCPT")
        if not said:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await self._next("DATA")
        if said and not said.startswith("250"):
            return said
        message: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.received.append(
            Mail(
                sender=envelope.mail_from or "",
                recipients=list(envelope.rcpt_tos),
                message=message,
            )
        )
        return said or "250 2.0.0 queued as 7"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._next("QUIT") or "221 Bye"
