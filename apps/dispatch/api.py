"""`/api/v1/pauses`: a tenant pauses or limits its own handlers, endpoints and categories."""

from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.dispatch.caps import BadScope, remove_cap, set_cap
from apps.dispatch.models import Cap
from apps.dispatch.queries import count_paused
from apps.tenants.entering import current_tenant
from apps.web.authentication import actor_of
from apps.web.openapi import page_of
from apps.web.problems import Problem
from apps.web.strict import StrictNumber, StrictSerializer, StrictText


class PauseRequestSerializer(StrictSerializer):
    """Input: what to pause; together the fields name the scope, those left out mean any.

    All of them left out is everything of the tenant, which needs a reason: no body at all is a slip.
    """

    category = StrictText(required=False, default="", max_length=16)
    handler = StrictText(required=False, default="", max_length=100)
    target = StrictText(required=False, default="", max_length=64)
    at_most = StrictNumber(required=False, default=0, min_value=0, max_value=100_000)
    reason = StrictText(required=False, default="", max_length=200, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not any(attrs[name] for name in ("category", "handler", "target", "reason")):
            raise serializers.ValidationError(
                "Name a category or a handler; everything of the tenant needs a reason."
            )
        return attrs


class PauseSerializer(serializers.ModelSerializer[Cap]):
    """Output: a pause (`at_most` 0) or limit. `by_platform`: the operator's; it cannot be ended here.

    `kept_back`: deliveries of this tenant that it holds at the moment, at most 10,000 counted.
    """

    by_platform = serializers.SerializerMethodField()
    kept_back = serializers.SerializerMethodField()

    class Meta:
        model = Cap
        fields = [
            "id", "category", "handler", "target", "at_most", "reason", "created_by", "created_at",
            "by_platform", "kept_back",
        ]  # fmt: skip

    def get_by_platform(self, cap: Cap) -> bool:
        return cap.tenant_id is None

    def get_kept_back(self, cap: Cap) -> int:
        return count_paused(cap.pk, tenant_id=current_tenant().id)


class PausesView(APIView):
    """Pauses and limits that concern the key's tenant."""

    read_scope = "events:read"

    @extend_schema(operation_id="pauses_list", responses=page_of(PauseSerializer))
    def get(self, request: Request) -> Response:
        """List this tenant's pauses and limits, and the operator's that apply to all."""
        caps = Cap.objects.filter(Q(tenant_id=current_tenant().id) | Q(tenant_id__isnull=True))
        shown = PauseSerializer(caps.order_by("id"), many=True).data
        return Response({"results": shown, "next": None, "previous": None})

    @extend_schema(request=PauseRequestSerializer, responses={201: PauseSerializer})
    def post(self, request: Request) -> Response:
        """Pause, or limit with `at_most`; the same scope again changes what there is."""
        serializer = PauseRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            cap = set_cap(
                by=actor_of(request),
                now=timezone.now(),
                tenant_id=current_tenant().id,
                **serializer.validated_data,
            )
        except BadScope as error:
            raise Problem(422, str(error)) from error
        return Response(PauseSerializer(cap).data, status=201)


class PauseView(APIView):
    """One pause or limit of the key's tenant."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """End it: what it kept back is ready again."""
        cap = Cap.objects.filter(pk=pk, tenant_id=current_tenant().id).first()
        if cap is None:
            raise Http404(f"There is no pause {pk} of this tenant: see /api/v1/pauses.")
        remove_cap(cap)
        return Response(status=204)
