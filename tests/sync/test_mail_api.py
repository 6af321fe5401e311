"""Mail addresses as endpoints over the API, with a web process that has a mail server and one without."""

from collections.abc import Callable, Iterator

import pytest

from apps.sync.alerts import ALERTS
from apps.sync.models import Endpoint, Exchange
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api
from tests.processes import free_port, start_web
from tests.sync.mail_server import SENDER, MailServer

NIGHT = "mailto:night@acme.example"
MailApi = Callable[[TenantRef], Api]


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    """A mail server that lives as long as the web process that is told of it."""
    with MailServer() as found:
        yield found


@pytest.fixture(scope="module")
def web_with_mail(
    django_db_setup: None, server: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A gunicorn whose environment names the mail server; gives its base URL."""
    port = free_port()
    process = start_web(
        tmp_path_factory.mktemp("web") / "web.log", port=port,
        EMAIL_URL=f"smtp://127.0.0.1:{server.port}", EMAIL_FROM=SENDER,
        PUBLIC_URL="https://{host}",
    )  # fmt: skip
    yield f"http://127.0.0.1:{port}"
    process.kill()


@pytest.fixture
def api_with_mail(web_with_mail: str, server: MailServer, key_of: Callable[..., str]) -> MailApi:
    server.received.clear()
    return lambda tenant: Api(web_with_mail, tenant, key_of(tenant))


def test_a_mail_address_is_an_endpoint_that_gets_the_alerts_and_can_be_tried(
    acme: TenantRef, harbor: TenantRef, api_with_mail: MailApi, server: MailServer
) -> None:
    api, stranger = api_with_mail(acme), api_with_mail(harbor)
    made = api.post("endpoints", {"url": NIGHT, "description": "the night desk"})
    assert made.status_code == 201
    body = made.json()
    assert (body["url"], body["patterns"]) == (NIGHT, list(ALERTS))
    tried = api.post(f"endpoints/{body['id']}/test").json()
    assert (tried["status"], tried["error"]) == (250, "")
    [mail] = server.received
    assert mail.recipients == ["night@acme.example"]
    assert mail.message["Subject"] == "[Acme] Test: mail arrives here"
    link = f"https://acme.localhost/admin/sync/endpoint/{body['id']}/change/"
    assert mail.text.endswith(f"This address is an endpoint of Acme: {link}\n")
    shown = api.get(f"endpoints/{body['id']}/exchanges").json()["results"]
    assert [row["response_body"] for row in shown] == ["2.0.0 queued as 7"]
    assert stranger.get(f"endpoints/{body['id']}").status_code == 404
    assert stranger.post(f"endpoints/{body['id']}/test").status_code == 404
    assert stranger.get("endpoints").json()["results"] == []
    assert len(server.received) == 1


def test_a_webhook_may_become_a_mail_address_and_keeps_its_patterns(
    acme: TenantRef, api_with_mail: MailApi
) -> None:
    api = api_with_mail(acme)
    made = api.post("endpoints", {"url": "https://a.example/", "patterns": ["booking.*"]}).json()
    changed = api.patch(f"endpoints/{made['id']}", {"url": NIGHT}).json()
    assert (changed["url"], changed["patterns"]) == (NIGHT, ["booking.*"])


def test_a_bad_address_is_refused_with_a_pointer(acme: TenantRef, api_with_mail: MailApi) -> None:
    refused = api_with_mail(acme).post("endpoints", {"url": f"{NIGHT}?cc=eve@evil.example"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "pointer": "#/url",
            "detail": "must be the address alone, without ?subject=, cc= or the like",
        }
    ]
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_without_a_mail_server_it_says_what_the_operator_has_to_set(
    acme: TenantRef, api_of: Callable[..., Api], api_with_mail: MailApi
) -> None:
    advice = "no mail can be sent from here: the operator has to set EMAIL_URL and EMAIL_FROM first"
    api = api_of(acme)
    refused = api.post("endpoints", {"url": NIGHT})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": "#/url", "detail": f"cannot be a mail address: {advice}"}
    ]
    with entering(acme):
        assert Endpoint.objects.count() == 0
    made = api_with_mail(acme).post("endpoints", {"url": NIGHT}).json()
    tried = api.post(f"endpoints/{made['id']}/test")  # made before the setting went away
    assert tried.status_code == 422
    assert tried.json()["errors"] == [{"pointer": "#/url", "detail": advice}]
    with entering(acme):
        assert Exchange.objects.get().error == advice
    off = api.patch(f"endpoints/{made['id']}", {"url": NIGHT, "is_enabled": False})
    assert (off.status_code, off.json()["is_enabled"]) == (200, False)
