"""`/api/v1/dead-letters/bulk`: decide about many, few at once and more in the background."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.fallback.api import FallbackView, read_input
from apps.fallback.bulk import cancel_bulk_action, decide
from apps.fallback.caring import UnknownAssignee
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import BulkAction
from apps.fallback.orders import Order
from apps.fallback.presenting import (
    BulkActionSerializer,
    BulkAnswerSerializer,
    BulkBegunSerializer,
    show_dead_letters,
)
from apps.fallback.selecting import Selection, choose
from apps.fallback.serializers import BulkSerializer
from apps.web.authentication import actor_of
from apps.web.problems import Problem
from pms_events.errors import FieldError


class BulkView(FallbackView):
    """Many at once."""

    @extend_schema(
        request=BulkSerializer, responses={200: BulkAnswerSerializer, 202: BulkBegunSerializer}
    )
    def post(self, request: Request) -> Response:
        """Retry, discard, assign or comment open dead letters; `dry_run` tells which and how many.

        Up to 50 are done when this answers 200. More are begun: 202 with the id of a bulk action. Those
        that are not open, or do not exist, are left out.
        """
        asked = read_input(BulkSerializer(data=request.data))
        selection = _selection_of(asked)
        order = Order(
            action=asked["action"],
            actor=actor_of(request),
            note=asked.get("note", ""),
            assignee=asked.get("assignee") or "",
        )
        choice = choose(selection)
        answer: dict[str, Any] = {
            "action": order.action,
            "dry_run": asked["dry_run"],
            "matched": choice.total,
            "changed": 0,
            "has_more": False,
            # Shown as they were before: afterwards they are not open any more.
            "sample": show_dead_letters(choice.sample),
        }
        try:
            order.check_people()
            if asked["dry_run"]:
                return Response(answer)
            decided = decide(selection, order, now=timezone.now())
        except UnknownAssignee as error:
            where = [FieldError(pointer="#/assignee", detail=str(error))]
            raise Problem(422, "Some fields are not valid.", errors=where) from error
        answer |= {"matched": decided.matched, "changed": decided.changed}
        if decided.bulk is None:
            return Response(answer)
        status = f"/api/v1/dead-letters/bulk/{decided.bulk.pk}"
        begun = {"id": decided.bulk.pk, "state": decided.bulk.state, "status": status}
        return Response(answer | begun, status=202, headers={"Location": status})


class BulkActionView(FallbackView):
    """A bulk action in the background."""

    @extend_schema(responses=BulkActionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Tell how far it has come."""
        return Response(BulkActionSerializer(get_object_or_404(BulkAction, pk=pk)).data)


class CancelView(FallbackView):
    """Stopping one."""

    @extend_schema(
        request=None,
        responses={200: BulkActionSerializer, 409: OpenApiResponse(description="it had ended")},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stop it; what it has decided stays decided. 409 when it had ended before."""
        bulk = get_object_or_404(BulkAction, pk=pk)
        if not cancel_bulk_action(bulk.pk, actor=actor_of(request), now=timezone.now()):
            bulk.refresh_from_db()
            raise Problem(409, f"This bulk action is {bulk.state}: nothing was changed.")
        bulk.refresh_from_db()
        return Response(BulkActionSerializer(bulk).data)


def _selection_of(asked: dict[str, Any]) -> Selection:
    now = timezone.now()
    if "ids" in asked:
        return Selection(cutoff=now, ids=sorted(set(asked["ids"])))
    return Selection(cutoff=now, filter=DeadLetterFilter(**asked["filter"]))
