from django.db import migrations

_SAMPLED = {
    "events_event": (
        "uid", "event_id", "source", "type", "subject", "category", "priority", "stream", "time",
        "time_was_given", "recorded_at", "causation",
    ),
    "events_delivery": (
        "id", "event_uid", "handler", "target", "category", "state", "attempts", "failures",
        "crashes", "accepted_at", "started_at", "finished_at", "note", "replay_id",
    ),
}  # fmt: skip


def _set(table: str, target: int) -> str:
    columns = ", ".join(f"ALTER COLUMN {name} SET STATISTICS {target}" for name in _SAMPLED[table])
    return f"ALTER TABLE {table} {columns}"


class Migration(migrations.Migration):
    """A log that grows is analyzed again and again: from six thousand of its rows, not thirty.

    PostgreSQL samples 300 rows for each point of the largest target among a table's columns.
    """

    dependencies = [("events", "0003_statistics")]

    operations = [migrations.RunSQL(_set(table, 20), _set(table, -1)) for table in _SAMPLED]
