"""The menu of the admin, as it is when the settings name `config.admin.get_navigation`."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory, override_settings

from apps.tenants.entering import TenantRef, entering
from config.admin import get_navigation
from tests.fallback.test_admin import sign_in

_WIRED: dict[str, Any] = {
    **settings.UNFOLD,
    "SIDEBAR": {"navigation": "config.admin.get_navigation"},
}


def test_what_needs_a_person_comes_first_and_set_up_last(acme: TenantRef) -> None:
    request = RequestFactory().get("/admin/")
    with entering(acme):
        request.user = get_user_model().objects.create_superuser("ann")
        menu = get_navigation(request)

    titles = [group.get("title", group["items"][0]["title"]) for group in menu]
    assert titles[:3] == ["Live view", "Fallback queue", "Events"]
    assert titles[-2:] == ["Routes and pauses", "People"]
    request.user = AnonymousUser()
    with entering(acme):
        assert get_navigation(request) == []


@override_settings(UNFOLD=_WIRED)
def test_the_admin_shows_the_menu(acme: TenantRef) -> None:
    with entering(acme):
        client = sign_in("acme.localhost")
    shown = client.get("/admin/properties/property/").content.decode()
    assert shown.index("/admin/fallback/deadletter/") < shown.index("/admin/bookings/booking/")
