"""Pages for people: what is refused says so in words, times are told, lists can be searched."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from apps.bookings.models import Booking
from apps.bookings.money import show_amount
from apps.properties.models import Property
from apps.tenants.entering import PUBLIC, TenantRef, entering, leave
from apps.web.lists import list_values
from config.admin import get_header

PASSWORD = "correct horse battery"


def enter(tenant: TenantRef, client: Client, **who: object) -> None:
    with entering(tenant):
        user = get_user_model().objects.create_user("ann", password=PASSWORD, is_staff=True, **who)
        client.force_login(user)


def make_booking(ref: str, *, channel: str = "airbnb", guest: str = "") -> Booking:
    at = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Booking.objects.create(
        source="channel", booking_ref=ref, status="confirmed", channel=channel, guest_ref=guest,
        booked_at=at, total_minor=30050, currency="EUR", applied_is_creation=True, applied_at=at,
    )  # fmt: skip


def test_a_wrong_address_a_missing_permission_and_a_broken_request_are_pages(
    acme: TenantRef, client: Client
) -> None:
    enter(acme, client)
    host = {"host": "acme.localhost"}
    for address, status, said in (
        ("/admin/nowhere/", 404, "The address is wrong, or what was here is gone."),
        ("/admin/bookings/booking/", 403, "Your account lacks the permission."),
        ("/admin/fallback/deadletter/", 403, "Your account lacks the permission."),
    ):
        answer = client.get(address, headers=host)
        assert answer.status_code == status, address
        assert answer["Content-Type"].startswith("text/html")
        assert said in answer.content.decode()
        assert "To the live view" in answer.content.decode()


def test_an_address_of_what_is_not_there_says_what_is_not_there(
    acme: TenantRef, client: Client
) -> None:
    enter(acme, client, is_superuser=True)
    uid = "00000000-0000-7000-8000-000000000000"
    answer = client.get(f"/admin/events/event/{uid}/change/", headers={"host": "acme.localhost"})
    assert (answer.status_code, "This tenant has no such event." in answer.content.decode()) == (
        404,
        True,
    )


def test_the_platform_says_where_a_tenants_data_is_shown(acme: TenantRef, client: Client) -> None:
    leave()
    client.force_login(get_user_model().objects.create_superuser("root"))
    for address in ("fallback/deadletter/", "events/event/", "bookings/booking/", "sync/exchange/"):
        answer = client.get(f"/admin/{address}", headers={"host": "platform.localhost"})
        assert answer.status_code == 403, address
        assert "to the tenant&#x27;s people alone" in answer.content.decode()


def test_a_broken_page_says_so_without_the_database(
    acme: TenantRef, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(acme, client, is_superuser=True)
    client.raise_request_exception = False
    monkeypatch.setattr("apps.bookings.admin.BookingAdmin.ordering", ["no_such_field"])
    answer = client.get("/admin/bookings/booking/", headers={"host": "acme.localhost"})
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


def test_programs_still_get_problems(acme: TenantRef, client: Client) -> None:
    for address in ("/nowhere", "/api/v1/nowhere"):
        answer = client.get(address, headers={"host": "acme.localhost"})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_login_page_itself_leads_to_the_live_view(acme: TenantRef, client: Client) -> None:
    enter(acme, client)
    client.logout()
    form = {"username": "ann", "password": PASSWORD}
    answer = client.post("/admin/login/", form, headers={"host": "acme.localhost"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_times_are_told_with_how_long_ago_in_lists_and_pages(
    acme: TenantRef, client: Client
) -> None:
    enter(acme, client, is_superuser=True)
    with entering(acme):
        booking = make_booking("BK-1")
    for address in ("", f"{booking.pk}/change/"):
        said = client.get(
            f"/admin/bookings/booking/{address}", headers={"host": "acme.localhost"}
        ).content.decode()
        assert said.count('<time datetime="2027-01-02T03:04:05+00:00">') == 1, address
    assert "300.50 EUR" in said


def test_bookings_are_found_by_how_a_reference_begins(
    acme: TenantRef, harbor: TenantRef, client: Client
) -> None:
    enter(acme, client, is_superuser=True)
    with entering(harbor):
        make_booking("BK-777-harbor", channel="harbor's")
    with entering(acme):
        make_booking("BK-7771")
        make_booking("OTHER", guest="bk-777 the guest", channel="direct")
        make_booking("X-BK-777", channel="")
        assert list_values(Booking, "channel") == ["airbnb", "direct"]
    for asked, refs in (("bk-777", {"BK-7771", "OTHER"}), ("777", set()), ("x-", {"X-BK-777"})):
        page = client.get(f"/admin/bookings/booking/?q={asked}", headers={"host": "acme.localhost"})
        assert {row.booking_ref for row in page.context["cl"].result_list} == refs, asked


def test_a_list_that_is_empty_says_what_would_be_there(acme: TenantRef, client: Client) -> None:
    enter(acme, client, is_superuser=True)
    for address, said in (
        ("bookings/booking/", "Bookings appear here when events tell of them"),
        ("fallback/deadletter/?state=open", "Nothing needs a person"),
        ("fallback/deadletter/?assignee=ann", "You look after nothing"),
        ("fallback/deadletter/?reason=poison", "Nothing matches"),
        ("housekeeping/cleaningtask/", "A scheduled stay plans the clean"),
        ("reporting/dailyfigure/", "Each scheduled stay adds its nights"),
        ("calendars/calendarentry/", "A confirmed booking takes the nights"),
        ("properties/property/", "Add one here or by the API"),
        ("auth/group/", "A group gives its people the same permissions"),
    ):
        page = client.get(f"/admin/{address}", headers={"host": "acme.localhost"})
        assert said in page.content.decode(), address


def test_the_header_names_whose_admin_it_is(acme: TenantRef, client: Client) -> None:
    enter(acme, client, is_superuser=True)
    page = client.get("/admin/", headers={"host": "acme.localhost"})
    assert page.context["site_header"] == "Acme"
    assert page.context["title"] == "Live view"
    request = page.wsgi_request
    request.tenant.schema_name = PUBLIC
    assert get_header(request) == "Platform"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("fallback/deadletter/?fingerprint=%00", 400),
        ("fallback/deadletter/bulk/?action=retry&fingerprint=%00", 400),
        ("bookings/booking/?channel=%00", 400),
        ("reporting/dailyfigure/?property_ref=%00", 400),
        ("events/replay/?state__exact=%00", 400),
        (f"fallback/bulkaction/{'9' * 4400}/change/", 404),
        (f"events/replay/{'9' * 4400}/change/", 404),
    ],
)
def test_an_odd_address_is_a_page_and_no_error(
    acme: TenantRef, client: Client, address: str, status: int
) -> None:
    enter(acme, client, is_superuser=True)
    answer = client.get(f"/admin/{address}", headers={"host": "acme.localhost"})
    assert (answer.status_code, b"To the live view" in answer.content) == (status, True)


def test_who_makes_a_group_chooses_permissions_of_what_is_here(
    acme: TenantRef, client: Client
) -> None:
    enter(acme, client, is_superuser=True)
    page = client.get("/admin/auth/group/add/", headers={"host": "acme.localhost"})
    said = page.content.decode()
    assert "dead letter: change" in said
    assert "tenant: change" not in said


def test_who_changes_a_group_takes_nothing_from_it_that_is_not_shown(
    acme: TenantRef, client: Client
) -> None:
    enter(acme, client)
    with entering(acme):
        found = {p.codename: p for p in Permission.objects.all()}
        get_user_model().objects.get().user_permissions.add(
            *(found[name] for name in ("view_group", "change_group", "view_property"))
        )
        desk = Group.objects.create(name="desk")
        desk.permissions.add(found["view_booking"], found["view_property"])
    page = f"/admin/auth/group/{desk.pk}/change/"
    shown = client.get(page, headers={"host": "acme.localhost"}).content.decode()
    assert ("property: view" in shown, "booking: view" in shown) == (True, False)
    client.post(page, {"name": "front desk"}, headers={"host": "acme.localhost"})
    with entering(acme):
        desk.refresh_from_db()
        assert desk.name == "front desk"
        assert [p.codename for p in desk.permissions.all()] == ["view_booking"]


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(30000, "EUR", "300.00 EUR"), (500, "JPY", "500 JPY"), (1234567, "KWD", "1,234.567 KWD")],
)
def test_amounts_are_written_as_people_do(minor: int, currency: str, shown: str) -> None:
    assert show_amount(minor, currency=currency) == shown


def test_what_another_tenant_has_opens_by_no_address(
    acme: TenantRef, harbor: TenantRef, client: Client
) -> None:
    enter(acme, client, is_superuser=True)
    with entering(harbor):
        foreign = Property.objects.create(ref="theirs", name="Theirs")
    answer = client.get(
        f"/admin/properties/property/{foreign.pk}/change/", headers={"host": "acme.localhost"}
    )
    assert "Theirs" not in answer.content.decode()
