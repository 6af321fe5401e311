"""One request: pinned, verified, and over in time whatever the receiver does."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django.fixtures import Settings

from apps.sync.sending import MAX_RESPONSE, post
from apps.sync.spoken import Answer
from tests.sync.receiver import Receiver, Reply

_OK = b"HTTP/1.1 200 OK\r\n"
_LATE = "no complete answer within 0.3 s"


@pytest.fixture
def impatient(settings: Settings) -> None:
    settings.HTTP_TIMEOUT = dt.timedelta(seconds=0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(raw=_OK + b"X-Slow: " + b"a" * 999, drip=0.05), None),
        (Reply(raw=_OK + b"\r\n" + b"a" * 999, drip=0.01), 200),
        (Reply(raw=_OK + b"Content-Length: 999\r\n\r\na", hold=True), 200),
        (Reply(raw=_OK, hold=True), None),
    ],
    ids=["drips headers", "drips its body", "stops in its body", "stops in its headers"],
)
def test_a_slow_receiver_is_cut_off(reply: Reply, status: int | None) -> None:
    with Receiver(reply) as receiver:
        started = time.monotonic()
        answer = post(receiver.url, headers={}, body=b"{}")
        took = time.monotonic() - started
    assert (answer.status, answer.error) == (status, _LATE)
    assert took < 3  # the drip itself would last 10 s or more


@pytest.mark.usefixtures("impatient")
def test_no_timer_outlives_its_request() -> None:
    before = threading.active_count()
    with Receiver() as receiver:
        post(receiver.url, headers={}, body=b"{}")
    assert [t for t in threading.enumerate() if isinstance(t, threading.Timer)] == []
    assert threading.active_count() <= before + 1  # a thread of the receiver may be ending


def test_a_long_answer_is_read_to_64_kib() -> None:
    with Receiver(Reply(body=b"x" * 10 * MAX_RESPONSE)) as receiver:
        answer = post(receiver.url, headers={}, body=b"{}")
    assert (answer.status, len(answer.body), answer.error) == (200, MAX_RESPONSE, "")


def test_a_compressed_answer_is_not_unfolded() -> None:
    reply = Reply(headers={"Content-Encoding": "gzip"}, body=b"no gzip at all")
    with Receiver(reply) as receiver:
        answer = post(receiver.url, headers={}, body=b"{}")
        assert receiver.received[0].headers["accept-encoding"] == "identity"
    assert (answer.status, answer.body) == (200, b"no gzip at all")


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"what?\r\n\r\n", "BadStatusLine"),
        (_OK + b"X: y\r\n" * 200 + b"\r\n", "HTTPException: got more than 100 headers"),
        (_OK + b"X: " + b"y" * 70_000, "LineTooLong"),
    ],
    ids=["no HTTP", "many headers", "endless header"],
)
def test_an_answer_that_is_no_http_is_told_and_raises_nothing(raw: bytes, error: str) -> None:
    with Receiver(Reply(raw=raw)) as receiver:
        answer = post(receiver.url, headers={}, body=b"{}")
    assert answer.status is None
    assert error in answer.error


def test_errors_do_not_repeat_the_url_which_may_hold_a_token() -> None:
    with Receiver() as receiver:
        port = receiver.port
    answer = post(f"http://127.0.0.1:{port}/hidden", headers={}, body=b"{}")
    assert answer == Answer(status=None, error="connection refused: nothing listens there")


def test_no_proxy_and_no_password_of_this_machine_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login us password ours\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Receiver() as receiver, Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        post(receiver.url, headers={}, body=b"{}")
    assert proxy.received == []
    [request] = receiver.received
    assert request.path == "/hook"
    assert "authorization" not in request.headers


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make every name lead to loopback; gives the names that were looked up."""
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def find(host: str, *where: object, **options: object) -> object:
        if host != "127.0.0.1":
            looked_up.append(host)
        return real("127.0.0.1", *where, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", find)
    return looked_up


def test_a_name_is_resolved_once_and_kept_as_the_host(names: list[str]) -> None:
    with Receiver() as receiver:
        post(f"http://bücher.example:{receiver.port}/", headers={}, body=b"{}")
    assert names == ["xn--bcher-kva.example"]
    assert receiver.received[0].headers["host"] == f"xn--bcher-kva.example:{receiver.port}"


@pytest.fixture
def certify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ssl.SSLContext]:
    """Make a TLS context whose certificate is for these names, and trust it."""

    def make(*names: str, is_trusted: bool = True) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), 1)
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "certificate.pem"
        written = certificate.public_bytes(serialization.Encoding.PEM)
        file.write_bytes(
            written
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if is_trusted:
            monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(file))
        return context

    return make


def _san(name: str) -> x509.GeneralName:
    if name[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def test_tls_is_verified_against_the_name_while_the_address_is_pinned(
    names: list[str], certify: Callable[..., ssl.SSLContext]
) -> None:
    asked: list[str | None] = []
    context = certify("hooks.example")
    context.sni_callback = lambda _, name, __: asked.append(name)
    with Receiver(tls=context) as receiver:
        answer = post(f"https://hooks.example:{receiver.port}/", headers={}, body=b"{}")
    assert (answer.status, answer.error) == (200, "")
    assert (names, asked) == (["hooks.example"], ["hooks.example"])


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_or_the_address_is_refused(
    name: str, certify: Callable[..., ssl.SSLContext]
) -> None:
    with Receiver(tls=certify(name)) as receiver:
        answer = post(f"https://hooks.example:{receiver.port}/", headers={}, body=b"{}")
    assert answer.status is None
    assert "hostname 'hooks.example' doesn't match" in answer.error
    assert receiver.received == []


@pytest.mark.usefixtures("names")
def test_a_certificate_of_nobody_we_trust_is_refused(
    certify: Callable[..., ssl.SSLContext],
) -> None:
    with Receiver(tls=certify("hooks.example", is_trusted=False)) as receiver:
        answer = post(f"https://hooks.example:{receiver.port}/", headers={}, body=b"{}")
    assert "CERTIFICATE_VERIFY_FAILED" in answer.error
    assert receiver.received == []


@pytest.mark.usefixtures("names", "impatient")
def test_a_receiver_that_drips_through_tls_is_cut_off(
    certify: Callable[..., ssl.SSLContext],
) -> None:
    slow = Reply(raw=_OK + b"X-Slow: " + b"a" * 999, drip=0.05)
    with Receiver(slow, tls=certify("hooks.example")) as receiver:
        answer = post(f"https://hooks.example:{receiver.port}/", headers={}, body=b"{}")
    assert answer == Answer(status=None, error=_LATE)


@pytest.mark.usefixtures("impatient")
def test_a_receiver_that_never_shakes_hands_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = post(f"https://127.0.0.1:{silent.getsockname()[1]}/", headers={}, body=b"{}")
    assert answer == Answer(status=None, error=_LATE)
