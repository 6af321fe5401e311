"""The first screen of the fallback queue: causes, so that 500 of one cause are one decision."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from apps.fallback.filters import DeadLetterFilter
from apps.fallback.groups import MOST_COUNTED, get_groups, get_handlers
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.web.admin import TenantAdmin
from pms_events.categories import Category
from pms_events.verdicts import Reason

REASON_COLOURS = {
    "exhausted": "warning", "permanent": "danger", "poison": "danger", "unroutable": "warning",
    "unknown_type": "info", "invalid": "danger", "unreadable": "danger",
}  # fmt: skip
_SHOWN = 50


class GroupsPage(TenantAdmin):
    """A model admin's part: the page of causes."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.groups_view)
        return [path("groups/", view, name="fallback_deadletter_groups"), *super().get_urls()]

    def groups_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        names = ("handler", "reason", "category")
        given: dict[str, Any] = {n: request.GET[n] for n in names if request.GET.get(n)}
        chosen = DeadLetterFilter(**given)
        groups = get_groups(chosen, limit=_SHOWN, now=timezone.now())
        newest = DeadLetter.objects.filter(state=DeadLetterState.OPEN).values("pk")
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Fallback queue",
            "groups": groups.found,
            "colours": REASON_COLOURS,
            "has_more": groups.has_more,
            "total": newest[:MOST_COUNTED].count(),
            "chosen": chosen,
            "is_filtered": chosen != DeadLetterFilter(),
            "handlers": get_handlers(),
            "reasons": [reason.value for reason in Reason],
            "categories": [category.value for category in Category],
            "may_act": self.has_change_permission(request),
            "tab": "causes",
        }
        return TemplateResponse(request, "fallback/groups.html", context)
