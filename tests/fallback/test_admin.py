"""Which screens exist where: tenants' on tenants, the platform's on the platform, nothing shared."""

from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from apps.dispatch.models import Route
from apps.fallback.models import DeadLetter
from apps.properties.models import Property, Unit
from apps.tenants.entering import TenantRef, entering
from tests.fallback.conftest import build as build
from tests.fallback.conftest import die as die

TENANT_ONLY = ["fallback/deadletter/", "events/event/", "dispatch/route/", "bookings/booking/"]
PLATFORM_ONLY = [
    "tenants/tenant/",
    "tenants/domain/",
    "tenants/apikey/",
    "dispatch/refuseddelivery/",
    "django_celery_results/taskresult/",
]
Die = Callable[..., list[DeadLetter]]


def sign_in(host: str, *, username: str = "ann", is_superuser: bool = True) -> Client:
    users = get_user_model().objects
    user = users.create_user(username, password="x", is_staff=True, is_superuser=is_superuser)
    client = Client(headers={"host": host})
    client.force_login(user)
    return client


def test_a_tenant_s_admin_shows_its_own_screens_and_none_of_the_platform(acme: TenantRef) -> None:
    with entering(acme):
        client = sign_in("acme.localhost")
    index = client.get("/admin/").content.decode()
    for path in TENANT_ONLY:
        assert client.get(f"/admin/{path}").status_code == 200, path
        assert f"/admin/{path}" in index
    for path in PLATFORM_ONLY:
        assert client.get(f"/admin/{path}").status_code == 403, path
        assert f"/admin/{path}" not in index


def test_the_platform_s_admin_shows_its_own_screens_and_none_of_tenants(database: None) -> None:
    client = sign_in("platform.localhost")
    index = client.get("/admin/").content.decode()
    for path in PLATFORM_ONLY:
        assert client.get(f"/admin/{path}").status_code == 200, path
        assert f"/admin/{path}" in index
    for path in TENANT_ONLY:
        assert client.get(f"/admin/{path}").status_code == 403, path
        assert f"/admin/{path}" not in index


def test_who_may_only_look_cannot_decide(acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    with entering(acme):
        client = sign_in("acme.localhost", username="eve", is_superuser=False)
    assert client.get("/admin/fallback/deadletter/").status_code == 403
    with entering(acme):
        allowed = Permission.objects.get(codename="view_deadletter")
        get_user_model().objects.get(username="eve").user_permissions.add(allowed)
    page = f"/admin/fallback/deadletter/{letter.pk}"
    assert client.get("/admin/fallback/deadletter/").status_code == 200
    shown = client.get(f"{page}/change/")
    assert shown.status_code == 200
    assert b"Correct and retry" not in shown.content
    for act in ("retry", "discard", "correct"):
        assert client.post(f"{page}/{act}/", {"note": "x", "step": "confirm"}).status_code == 403
    assert client.get(f"{page}/delete/").status_code == 403
    with entering(acme):
        assert DeadLetter.objects.get().state == "open"


def test_another_tenant_s_dead_letter_does_not_exist_here(
    acme: TenantRef, harbor: TenantRef, die: Die
) -> None:
    letter = die(acme, "1")[0]
    with entering(harbor):
        client = sign_in("harbor.localhost")
    page = f"/admin/fallback/deadletter/{letter.pk}"
    assert client.get(f"{page}/change/").status_code == 404
    assert client.post(f"{page}/retry/").status_code == 404
    with entering(acme):
        assert DeadLetter.objects.get().state == "open"


def test_a_route_belongs_to_the_tenant_that_makes_it(acme: TenantRef, harbor: TenantRef) -> None:
    theirs = Route.objects.create(tenant_id=harbor.id, handler="bookings.record_booking")
    with entering(acme):
        client = sign_in("acme.localhost")
    made = {"handler": "bookings.record_booking", "pattern": "booking.*", "priority": ""}
    assert client.post("/admin/dispatch/route/add/", made).status_code == 302
    mine = Route.objects.exclude(pk=theirs.pk).get()
    assert (mine.tenant_id, mine.pattern, mine.is_on) == (acme.id, "booking.*", False)
    again = client.post("/admin/dispatch/route/add/", made)
    assert b"There is a route for this handler" in again.content
    wrong = client.post("/admin/dispatch/route/add/", {**made, "handler": "nobody.nothing"})
    assert wrong.status_code == 200
    assert Route.objects.count() == 2
    listed = client.get("/admin/dispatch/route/").content.decode()
    assert f"/admin/dispatch/route/{mine.pk}/change/" in listed
    assert f"/admin/dispatch/route/{theirs.pk}/change/" not in listed
    client.post(f"/admin/dispatch/route/{theirs.pk}/change/", made)
    theirs.refresh_from_db()
    assert (theirs.tenant_id, theirs.pattern, theirs.is_on) == (harbor.id, "*", True)


def test_an_item_leads_to_the_unit_it_is_about_and_tells_times_there(
    acme: TenantRef, die: Die, build: Callable[..., None]
) -> None:
    letter = die(acme, "3333333333")[0]
    assert letter.units == ["seaview-101"]
    with entering(acme):
        Property.objects.create(ref="other", name="Other", timezone="Europe/London")
    build(acme, "seaview")
    with entering(acme):
        Property.objects.filter(ref="seaview").update(timezone="Asia/Tokyo")
        unit = Unit.objects.get(ref="seaview-101")
        page = sign_in("acme.localhost").get(f"/admin/fallback/deadletter/{letter.pk}/change/")
    text = page.content.decode()
    assert f'href="/admin/properties/unit/{unit.pk}/change/"' in text
    assert 'data-zone="Asia/Tokyo"' in text
