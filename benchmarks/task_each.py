"""The naive design with the real handlers: one row an event, one Celery task a handler.

Run as the worker: `python -m benchmarks.task_each -A config worker …`.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.__main__ import main
from celery.signals import worker_process_init
from django.db import transaction

from pms_events.context import Context, running
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.handlers import Effects, handlers
from pms_events.identifiers import new_uid
from pms_events.publishing import Receipt, bind


class TaskEachStore:
    """Stores each event as a row and sends a task for each handler when it commits."""

    def publish(self, envelopes: Sequence[Envelope], *, cause: Context | None) -> list[Receipt]:
        from apps.events.models import Event  # noqa: PLC0415 - needs Django's apps
        from apps.tenants.entering import current_schema  # noqa: PLC0415

        receipts = []
        for envelope in envelopes:
            entry = catalogue.find(envelope.type)
            assert entry is not None
            entry.validate(envelope.data)
            now = datetime.now(UTC)
            event = Event.objects.create(
                uid=new_uid(), event_id=envelope.id, source=envelope.source, type=envelope.type,
                subject=envelope.subject, category=entry.category.value,
                priority=int(entry.priority), stream="", time=now, data=envelope.data,
                body_hash=envelope.body_hash(), recorded_at=now,
                causation=cause.event.uid if cause else None,
            )  # fmt: skip
            for handler in handlers.of_type(envelope.type):
                if handler.effects is Effects.DATABASE:
                    arguments = [current_schema(), str(event.uid), handler.name]
                    transaction.on_commit(
                        lambda a=arguments: handle.apply_async(a, queue="events.chores")  # type: ignore[misc]
                    )
            receipts.append(Receipt(status="accepted", uid=event.uid))
        return receipts

    def subscribe(self, *, handler: str, target: str, patterns: Sequence[str]) -> None:
        raise ValueError("the benchmark has no endpoints")

    def unsubscribe(self, *, handler: str, target: str) -> None:
        raise ValueError("the benchmark has no endpoints")


@shared_task(
    name="naive.handle", autoretry_for=(Exception,), retry_backoff=True, max_retries=5,
    acks_late=True,
)  # fmt: skip
def handle(schema: str, uid: str, name: str) -> None:
    """Run one handler on one event and mark that."""
    from apps.events.models import Delivery  # noqa: PLC0415 - needs Django's apps
    from apps.events.queries import load_events  # noqa: PLC0415
    from apps.tenants.entering import entering, get_tenant  # noqa: PLC0415

    handler = handlers.find(name)
    assert handler is not None
    with entering(get_tenant(schema)), transaction.atomic():
        event = load_events([UUID(uid)])[UUID(uid)]
        entry = catalogue.find(event.type)
        assert entry is not None
        now = datetime.now(UTC)
        context = Context(tenant=schema, event=event, delivery_id=0, attempt=1, target="", now=now)
        with running(context):
            handler.function(entry.validate(event.data), context)
        Delivery.objects.create(
            id=new_uid().int >> 65, event_uid=event.uid, handler=name, category=handler.category,
            state="done", attempts=1, failures=0, crashes=0, accepted_at=now, started_at=now,
            finished_at=datetime.now(UTC),
        )  # fmt: skip


@worker_process_init.connect
def _bind(**_: Any) -> None:
    if __name__ == "__main__":
        bind(TaskEachStore())


if __name__ == "__main__":
    sys.argv[0] = "celery"
    main()
