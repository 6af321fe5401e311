"""People and what they may do: each tenant has its own, so does the platform."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultiple

from apps.web.admin import EverywhereAdmin

# Django's own module registers people with its own look when it is imported, which is above.
admin.site.unregister([User, Group])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, EverywhereAdmin):  # type: ignore[misc]
    """The people of this host: each tenant has its own, so does the platform."""

    sortable_by = ["username", "email", "first_name", "last_name", "is_staff"]
    search_help_text = "words in the user name, name or e-mail address"

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (
            "What this person may do",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups")},
        ),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ["last_login", "date_joined"]


class PeopleFilter(admin.SimpleListFilter):
    """By whether somebody is in the group."""

    title = "people"
    parameter_name = "people"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "has people"), ("none", "has nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> QuerySet[Group]:
        people = Exists(User.groups.through.objects.filter(group_id=OuterRef("pk")))
        match self.value():
            case "some":
                return queryset.filter(people)
            case "none":
                return queryset.filter(~people)
        return queryset


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, EverywhereAdmin):  # type: ignore[misc]
    """Groups of permissions. Offered are those of the screens that the person sees here."""

    list_filter = [PeopleFilter]
    search_help_text = "words in the name"
    filter_horizontal = ()

    nothing_title = "No groups yet"
    nothing_why = (
        "A group gives its people the same permissions: add one for the front desk that may look at "
        "the event log and decide about dead letters, for example."
    )

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField | None:
        if db_field.name != "permissions" or request is None:
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        return _Permissions(
            queryset=_get_permissions(request),
            widget=UnfoldAdminCheckboxSelectMultiple,
            required=False,
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep what was not offered: whoever cannot see a permission takes it from nobody."""
        group: Group = form.instance
        hidden = list(group.permissions.exclude(pk__in=_get_permissions(request).values("pk")))
        super().save_related(request, form, formsets, change)
        group.permissions.add(*hidden)


class _Permissions(forms.ModelMultipleChoiceField):
    """Permissions in words: "dead letter: change"."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.content_type.name}: {obj.codename.partition('_')[0]}"


def _get_permissions(request: HttpRequest) -> QuerySet[Permission]:
    """The permissions of the models that this person may look at on this host, by model."""
    shown = [
        model._meta
        for model, screen in admin.site._registry.items()
        if screen.has_view_permission(request)
    ]
    wanted = Q()
    for meta in shown:
        wanted |= Q(content_type__app_label=meta.app_label, content_type__model=meta.model_name)
    permissions = Permission.objects.filter(wanted).select_related("content_type")
    return permissions.order_by("content_type__app_label", "content_type__model", "codename")
