"""Why an event did not reach its receiver: whether trying again can help, and what a person does."""

from datetime import timedelta

from pms_events.errors import PermanentError


class DeliveryFailed(Exception):
    """A receiver did not take an event. `retry_after` is what it asked for, None if nothing."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class EndpointOff(PermanentError):
    """The endpoint is disabled: a person enables it, then retries; retrying alone cannot help."""


class NothingSent(PermanentError):
    """Nothing may be sent there, or can be: a person changes what the message says, then retries."""


class MailRefused(PermanentError):
    """A mail server refused the address or the message for good."""
