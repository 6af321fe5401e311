"""Every list of the admin can be searched and filtered, on the host where it is."""

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client

from apps.dispatch.models import Cap, TenantShare
from apps.events.models import Event
from apps.tenants.entering import TenantRef, entering, leave
from apps.tenants.models import Tenant
from tests.fallback.test_admin import sign_in

_USUAL_FORM = ['id="searchbar"']  # a filter hides while there is one value to choose
# The event log is a page of its own, whose form searches and filters.
_OWN_FORM = {Event: ['name="text"', 'name="type"', 'name="state"', 'name="category"']}


def shown(client: Client, address: str) -> str:
    answer = client.get(f"/admin/{address}")
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_every_list_has_a_search_and_filters() -> None:
    lists = admin.site._registry
    lacking = [
        f"{type(screen).__name__}: {name}"
        for model, screen in lists.items()
        if model not in _OWN_FORM
        for name in ("search_fields", "list_filter")
        if not getattr(screen, name)
    ]
    assert lacking == []


def test_every_list_is_searched_where_it_is(acme: TenantRef) -> None:
    with entering(acme):
        of_tenants = search_all("acme.localhost")
    leave()
    of_platform = search_all("platform.localhost")
    assert of_tenants | of_platform == set(admin.site._registry)
    assert of_tenants & of_platform == {Cap, Group, User}


def search_all(host: str) -> set[type[Model]]:
    """Open each list that is on a host, as it is and searched; gives the models that have one."""
    here = {model for model, screen in admin.site._registry.items() if screen.is_here()}  # type: ignore[attr-defined]
    client = sign_in(host)
    for model in here:
        address = f"{model._meta.app_label}/{model._meta.model_name}/"
        shown(client, address)
        page = shown(client, f"{address}?q=nothing")
        for part in _OWN_FORM.get(model, _USUAL_FORM):
            assert part in page, f"{host}/admin/{address} lacks {part}"
    return here


def test_shares_are_filtered_by_how_they_compare(acme: TenantRef, harbor: TenantRef) -> None:
    leave()
    TenantShare.objects.create(tenant=Tenant.objects.get(id=acme.id), weight=2)
    TenantShare.objects.create(tenant=Tenant.objects.get(id=harbor.id), weight=0.5)
    client = sign_in("platform.localhost")
    found = {
        chosen: [
            name
            for name in ("acme", "harbor")
            if f"share/{get_id(name)}/change/" in shown(client, f"dispatch/tenantshare/?{chosen}")
        ]
        for chosen in ("share=more", "share=less", "share=same", "")
    }
    assert found == {
        "share=more": ["acme"], "share=less": ["harbor"], "share=same": [], "": ["acme", "harbor"],
    }  # fmt: skip


def get_id(name: str) -> int:
    return int(Tenant.objects.get(schema_name=name).pk)


def test_groups_are_filtered_by_whether_they_have_people(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with entering(harbor):
        Group.objects.create(name="Of the harbor")
    with entering(acme):
        client = sign_in("acme.localhost")
        desk = Group.objects.create(name="Front desk")
        Group.objects.create(name="Night shift")
        for username in ("bob", "cleo"):
            User.objects.create_user(username).groups.add(desk)
    names = ["Front desk", "Night shift", "Of the harbor"]
    found = {
        chosen: [shown(client, f"auth/group/?{chosen}").count(f">{name}</a>") for name in names]
        for chosen in ("people=some", "people=none", "")
    }
    assert found == {"people=some": [1, 0, 0], "people=none": [0, 1, 0], "": [1, 1, 0]}
