"""What an endpoint's URL says about its receiver: by webhook or by mail, and how people call it."""

from urllib.parse import urlsplit

_MAIL = "mailto:"


def is_mail(url: str) -> bool:
    """Tell whether a receiver is written to by mail."""
    return url[: len(_MAIL)].lower() == _MAIL


def address_of(url: str) -> str:
    """Give the mail address of a `mailto:` URL."""
    return url[len(_MAIL) :]


def host_of(url: str) -> str:
    """Name a receiver: host and port, or the mail address. A URL's path may be a secret."""
    return address_of(url) if is_mail(url) else urlsplit(url).netloc


def describe_status(url: str, status: int) -> str:
    """Say what a status means, in words for people."""
    if not is_mail(url):
        return f"answered {status}"
    if 200 <= status < 300:
        return "accepted by the mail server"
    return f"{'put off' if status < 500 else 'refused'} by the mail server ({status})"
