"""`/readyz`, `/metrics` and `/api/v1/stats`: how the engine fares."""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.dispatch.progress import BUCKET, Counts, bucket_of, get_history, get_progress
from apps.dispatch.queries import get_backlog
from apps.engine.health import get_health
from apps.tenants.entering import current_tenant, entering_public

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


@csrf_exempt  # else what is no GET would be told about a form's token
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when events can be taken in, 503 otherwise; a reason for each part either way."""
    with entering_public():
        parts = get_health()
    is_ready = all(part.is_ok for part in parts if part.is_needed)
    shown = {part.name: {"ok": part.is_ok, "reason": part.reason} for part in parts}
    return JsonResponse({"ready": is_ready, "parts": shown}, status=200 if is_ready else 503)


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Backlog and progress for Prometheus, read from the hot table and small roll-ups."""
    registry = CollectorRegistry()
    backlog = Gauge(
        "pms_deliveries_pending", "Unfinished deliveries", ["category", "state"], registry=registry
    )
    oldest = Gauge(
        "pms_deliveries_oldest_wait_seconds", "Age of the oldest ready delivery", ["category"],
        registry=registry,
    )  # fmt: skip
    settled = Gauge(
        "pms_deliveries_settled_last_hour", "Deliveries settled", ["category", "outcome"],
        registry=registry,
    )  # fmt: skip
    up = Gauge("pms_part_ok", "1 when a part works", ["part"], registry=registry)
    now = timezone.now()
    try:
        with entering_public():
            for part in get_health(now=now):
                up.labels(part.name).set(part.is_ok)
            for category, entry in get_backlog(None, now=now).items():
                oldest.labels(category).set(entry.pop("oldest_wait_seconds"))
                for state, count in entry.items():
                    backlog.labels(category, state).set(count)
            for category, outcomes in get_progress(now=now, window=_HOUR).items():
                for outcome, count in outcomes.items():
                    settled.labels(category, outcome).set(count)
    except (DatabaseError, InterfaceError):
        up.labels("database").set(0)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class CategoryStatsSerializer(serializers.Serializer[Any]):
    """Output: how a category fares. `backlog` by state, `last_hour` by outcome."""

    backlog = serializers.DictField(child=serializers.IntegerField())
    oldest_wait_seconds = serializers.FloatField()
    settled_per_minute = serializers.FloatField()
    last_hour = serializers.DictField(child=serializers.IntegerField())


class StatsSerializer(serializers.Serializer[Any]):
    """Output: how the tenant's work fares, by category."""

    at = serializers.DateTimeField()
    categories = serializers.DictField(child=CategoryStatsSerializer())


class StatsView(APIView):
    """Backlog, oldest wait, throughput and failures per category."""

    @extend_schema(operation_id="stats", responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        """All of the key's tenant. The hour is of twelve buckets of five minutes, the last not over."""
        now, tenant = timezone.now(), current_tenant()
        backlog = get_backlog(tenant.id, now=now)
        history = get_history(tenant.id, since=bucket_of(now) - _HOUR + BUCKET)
        lately = bucket_of(now) - BUCKET
        minutes = (now - lately) / _MINUTE
        categories = {}
        for name in sorted({*backlog, *history}):
            entry, buckets = backlog.get(name, {}), history.get(name, {})
            counts = {k: v for k, v in entry.items() if k != "oldest_wait_seconds"}
            settled = sum(sum(c) for at, c in buckets.items() if at >= lately)
            hour = Counts(*map(sum, zip(*buckets.values(), strict=True))) if buckets else Counts()
            categories[name] = {
                "backlog": counts,
                "oldest_wait_seconds": entry.get("oldest_wait_seconds", 0.0),
                "settled_per_minute": round(settled / minutes, 1),
                "last_hour": hour._asdict(),
            }
        return Response({"at": now, "categories": categories})
