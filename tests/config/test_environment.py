"""Settings of mail and of links, as they are read from the environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.environment import MailServer, mail_server, public_url


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMAIL_URL", "EMAIL_FROM", "PUBLIC_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:2525", MailServer(host="127.0.0.1", port=2525, sender="a@b.example")),
        ("smtp://mail.example", MailServer(host="mail.example", port=25, sender="a@b.example")),
        (
            "smtp+tls://me%40b.example:p%2Fw@mail.example",
            MailServer(
                host="mail.example", port=587, user="me@b.example", password="p/w",
                has_starttls=True, sender="a@b.example",
            ),
        ),
        (
            "smtp+ssl://mail.example/",
            MailServer(host="mail.example", port=465, is_tls=True, sender="a@b.example"),
        ),
    ],
)  # fmt: skip
def test_a_mail_server_is_read(
    monkeypatch: pytest.MonkeyPatch, url: str, server: MailServer
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    monkeypatch.setenv("EMAIL_FROM", "a@b.example")
    assert mail_server() == server


def test_without_a_url_there_is_no_mail_server() -> None:
    assert mail_server() == MailServer()


@pytest.mark.parametrize(
    "url",
    ["mail.example:25", "http://mail.example", "smtp://", "smtp://:25", "smtp://mail.example:x",
     "smtp://u:hidden@mail.example:99999", "smtps://u:hidden@mail.example",
     "smtp+tls://u:hid/den@mail.example", "smtp://user@mail.example", "smtp://:hidden@mail.example"],
)  # fmt: skip
def test_a_url_that_is_none_is_refused_without_repeating_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    monkeypatch.setenv("EMAIL_FROM", "a@b.example")
    with pytest.raises(ImproperlyConfigured, match="^EMAIL_URL ") as caught:
        mail_server()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("sender", ["", "nobody", "a@b.example\nBcc: c@d.example", "ä@b.example"])
def test_a_sender_that_is_no_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, sender: str
) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example")
    monkeypatch.setenv("EMAIL_FROM", sender)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FROM is missing or no address"):
        mail_server()


def test_links_lead_to_the_hosts_over_tls_and_in_debug_mode_to_the_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "DEBUG", False)
    assert public_url() == "https://{host}"
    monkeypatch.setattr(environment, "DEBUG", True)
    monkeypatch.setenv("PORT", "8123")
    assert public_url() == "http://{host}:8123"
    monkeypatch.setenv("PUBLIC_URL", "https://{host}:8443/pms/")
    assert public_url() == "https://{host}:8443/pms"


@pytest.mark.parametrize(
    "url", ["pms.example", "https://pms.example", "ftp://{host}", "https://{0}"]
)
def test_a_public_url_without_a_place_for_the_host_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    with pytest.raises(ImproperlyConfigured, match="it must look like https://{host}"):
        public_url()
