"""What people read of dead letters of endpoints: a mail that could not be sent is no webhook."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.events.models import Event
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.groups import get_groups
from apps.fallback.presenting import show_dead_letters
from apps.fallback.sentences import describe, describe_each
from apps.sync.models import Endpoint
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api
from tests.fallback.test_admin import sign_in
from tests.fallback.test_groups import make
from tests.sync.conftest import publish

_FAILED = {"handler": "sync.send_webhook", "category": "sync", "message": "away for now"}


def make_endpoint(url: str) -> str:
    return str(Endpoint.objects.create(url=url, secret=b"").pk)


def test_a_mail_that_could_not_be_sent_is_called_one_wherever_it_is_read(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    publish(acme, "1")
    with entering(acme):
        uid = Event.objects.get().uid
        mail = make_endpoint("MailTo:night-desk@acme.example")
        post = make_endpoint("https://receiver.example/secret-path")
        by_mail = make("aa", hours_ago=30_000, target=mail, event_uid=uid, **_FAILED)
        by_post = make("bb", hours_ago=20_000, target=post, event_uid=uid, **_FAILED)
        causes = get_groups(DeadLetterFilter(), now=timezone.now()).found
        client = sign_in("acme.localhost")
    mailed = "Could not send e-mail for booking 1: away for now"
    posted = "Could not send webhook for booking 1: away for now"
    rows = api_of(acme).get("dead-letters").json()["results"]
    assert [row["sentence"] for row in rows] == [posted, mailed]
    assert {cause.fingerprint: cause.sentence for cause in causes} == {
        "aa": "Could not send e-mail for a booking: away for now",
        "bb": "Could not send webhook for a booking: away for now",
    }
    lists = "/admin/fallback/deadletter/"
    for path, said in (
        (f"{lists}?state=open", [mailed, posted]),
        (f"{lists}{by_mail.pk}/change/", [mailed]),
        (f"{lists}{by_post.pk}/change/", [posted]),
        (f"{lists}bulk/?action=retry&handler=sync.send_webhook", [mailed, posted]),
        (f"/admin/events/event/{uid}/change/", [mailed, posted]),
    ):
        page = client.get(path).content.decode()
        assert [sentence for sentence in (mailed, posted) if sentence in page] == said, path
        assert "night-desk" not in page, path


def test_whose_endpoint_is_gone_or_another_tenant_s_keeps_its_name(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with entering(harbor):
        theirs = make_endpoint("mailto:desk@harbor.example")
    with entering(acme):
        for target in (theirs, "no uuid"):
            letter = make("aa", hours_ago=1, target=target, **_FAILED)
            assert describe(letter) == "Could not send webhook for booking 1: away for now"
        # Of another handler a target says nothing about mail.
        ours = make_endpoint("mailto:desk@acme.example")
        letter = make("aa", hours_ago=1, target=ours, handler="sync.ring_bell")
        assert describe(letter).startswith("Could not ring bell for booking 1")


def test_a_list_asks_once_for_all_of_its_endpoints(acme: TenantRef) -> None:
    with entering(acme):
        letters = [
            make("aa", hours_ago=1, target=make_endpoint(f"mailto:{n}@acme.example"), **_FAILED)
            for n in range(3)
        ]
        with CaptureQueriesContext(connection) as asked:
            sentences = describe_each(letters)
        assert len(asked) == 1
        assert {row["sentence"] for row in show_dead_letters(letters)} == set(sentences.values())
