"""Retention: what is over leaves into the archive; what is owed or needs a person stays."""

import gzip
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.engine.tasks import purge
from apps.events.models import Attempt, Delivery, Event
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError
from pms_events.publishing import publish_many
from tests.engine.handlers import handler


def refuse_two(payload: object, context: object) -> None:
    if context.event.id == "2":  # type: ignore[attr-defined]
        raise PermanentError("two")


@pytest.fixture
def log(acme: TenantRef, harbor: TenantRef, run_all: Callable[..., int]) -> TenantRef:
    """In both tenants: 1 done, 2 dead, 3 not routed yet."""
    with handler(refuse_two):
        for tenant in (acme, harbor):
            with entering(tenant):
                publish_many([_event("1"), _event("2")])
        run_all()
        for tenant in (acme, harbor):
            with entering(tenant):
                Event.objects.filter(type="delivery.died").delete()
        with entering(acme):
            publish_many([_event("3")])
    return acme


def _event(id: str) -> Envelope:
    return Envelope(id=id, source="test", type="custom.a", data={"n": id})


def ids() -> list[str]:
    return sorted(Event.objects.values_list("event_id", flat=True))


def command(*more: str) -> dict[str, object]:
    out = StringIO()
    before = timezone.now().isoformat()
    call_command(
        "purge_events", "--tenant", "acme", "--before", before, "--json", *more, stdout=out
    )
    told: dict[str, object] = json.loads(out.getvalue())
    return told


def test_what_is_over_is_archived_and_deleted_in_its_tenant_only(
    log: TenantRef, harbor: TenantRef, tmp_path: Path
) -> None:
    assert command("--archive", str(tmp_path), "--dry-run") == {"purgeable": 1}
    told = command("--archive", str(tmp_path))
    assert told["purged"] == 1
    lines = gzip.decompress(Path(str(told["archive"])).read_bytes()).splitlines()
    kept = [json.loads(line) for line in lines]
    assert [(e["id"], e["data"], len(e["deliveries"])) for e in kept] == [("1", {"n": "1"}, 1)]
    with entering(log):
        assert ids() == ["2", "3"]
        assert Delivery.objects.get().state == "dead"
        assert (Attempt.objects.count(), DeadLetter.objects.count()) == (1, 1)
    with entering(harbor):
        assert ids() == ["1", "2"]


def test_an_archive_that_cannot_be_written_deletes_nothing(log: TenantRef, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        command("--archive", str(tmp_path / "file" / "folder"))
    with entering(log):
        assert ids() == ["1", "2", "3"]


def test_as_a_task_it_tells_what_it_did(log: TenantRef, tmp_path: Path) -> None:
    result = purge.apply(args=[log.id, timezone.now().isoformat(), str(tmp_path)]).get()
    assert result["purged"] == 1
    assert Path(result["archive"]).exists()
