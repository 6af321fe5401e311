"""E-mail: one plain message an event to one address, handed in at the operator's server.

Source: RFC 5322; RFC 3834 (Auto-Submitted), so that no holiday responder answers us.
"""

from datetime import datetime
from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from apps.sync.checking import NO_MAIL_SERVER
from apps.sync.connectors.mail_wording import write_words
from apps.sync.failures import DeliveryFailed, MailRefused, NothingSent
from apps.sync.mailing import ASKED, hand_in
from apps.sync.models import Endpoint, Exchange
from apps.sync.receivers import address_of
from apps.sync.spoken import Answer, Request
from apps.web.sites import current_site
from pms_events.context import Event
from pms_events.outcomes import Done

_SHOWN_OF_ANSWER = 200
_OF_UID = 12
"""So much of the event's uid (its time) keeps ids apart when a restored database counts anew."""
_LOGIN = {530, 534, 535, 538}
"""Codes that ask for a login, or another one, at whatever step (RFC 4954 §6)."""


def write(endpoint: Endpoint, event: Event, *, message_id: str, now: datetime) -> Request:
    """Write the mail. Its Message-ID is the same on every attempt, so that a repeat can be told."""
    subject, text = write_words(
        event,
        site=current_site(),
        endpoint_path=reverse("admin:sync_endpoint_change", args=[endpoint.pk]),
    )
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return Request(
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "To": address_of(endpoint.url),
            "Subject": subject,
            "Date": format_datetime(now),
            "Message-ID": f"<{message_id}.{event.uid.hex[:_OF_UID]}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",  # what Exchange Server heeds instead
            "X-PMS-Event": str(event.uid),
        },
        body=text.encode("utf-8", "replace"),
    )


def pass_on(endpoint: Endpoint, request: Request) -> Answer:
    """Hand the mail in. Raises: NothingSent when no mail server is set, or the address is none."""
    if not settings.EMAIL_HOST:
        raise NothingSent(NO_MAIL_SERVER)
    headers = dict(request.headers)
    message = EmailMessage(
        subject=headers.pop("Subject"),
        body=request.body.decode(),
        from_email=headers.pop("From"),
        to=[headers.pop("To")],
        headers=headers,
    )
    return hand_in(message)


def read_answer(exchange: Exchange, *, now: datetime) -> Done:
    """Decide what the server's answer means for the delivery.

    250 is done: from here on the mail is the server's. No connection and 4xx are tried again, and
    so is a 5xx against ourselves (login, sender, greeting): the operator mends that for all mail at
    once, often within the retries, and no tenant could do anything about it. A 5xx against the
    address or the message is final.
    Raises: DeliveryFailed, which is tried again; MailRefused, which is not.
    """
    if exchange.is_taken:
        return Done(f"accepted by the mail server in {exchange.duration_ms} ms")
    if exchange.status is None:
        raise DeliveryFailed(f"the mail server gave no answer: {exchange.error}")
    asked = exchange.response_headers.get(ASKED, "")
    said = " ".join(exchange.response_body[:_SHOWN_OF_ANSWER].split())
    answered = f"{exchange.status} to {asked}" + (f": {said}" if said else "")
    if exchange.status < 500:
        raise DeliveryFailed(f"the mail server asks to come back later ({answered})")
    if exchange.status not in _LOGIN and asked == "RCPT TO":
        raise MailRefused(
            f"no mail is taken for {address_of(exchange.url)} ({answered}): "
            "correct the endpoint's address, then retry; or discard"
        )
    if exchange.status not in _LOGIN and asked == "DATA":
        raise MailRefused(
            f"the mail server refused this message ({answered}): "
            "show it to the operator, then retry; or discard"
        )
    raise DeliveryFailed(
        f"the mail server does not let us send ({answered}): "
        "the operator has to look at EMAIL_URL and EMAIL_FROM"
    )
