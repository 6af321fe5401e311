"""The naive program's one task: load, mark, save."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from benchmarks.naive.models import NaiveEvent


@shared_task(name="naive.process", autoretry_for=(Exception,), retry_backoff=True, max_retries=5)
def process(pk: int) -> None:
    """Process one event."""
    with transaction.atomic():
        event = NaiveEvent.objects.select_for_update().get(pk=pk)
        event.status = "done"
        event.processed_at = timezone.now()
        event.save()
