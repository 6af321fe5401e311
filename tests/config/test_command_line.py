"""`manage.py` in a shell: what is no fault of the program is told in a line, never as a traceback."""

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT, free_port

PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_SECRET_KEY": "of-our-own-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "FIELD_ENCRYPTION_KEYS": "b3VyLW93bi1maWVsZC1rZXktMDEyMzQ1Njc4OS0tLS0=",
    "DJANGO_ALLOWED_HOSTS": ".pms.example",
    "DATABASE_URL": "postgresql://pms:secret@db.pms.example/pms",
    "CELERY_BROKER_URL": "redis://broker.pms.example/0",
}


def manage(*arguments: str | bytes, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run it in a shell that has these settings; None takes one away."""
    changed = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *arguments],
        cwd=ROOT, env={k: v for k, v in changed.items() if v is not None},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("command", [["dispatch_status"], ["fallback", "list", "--tenant", "acme"]])
def test_a_database_that_is_away_is_one_line(command: list[str]) -> None:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/pms"
    assert_one_line(manage(*command, DATABASE_URL=nowhere), "DATABASE_URL")


@pytest.mark.parametrize(
    "command",
    [
        ["fallback", "discard", "--tenant", "acme", "--all", "--note", "x", "--group", ""],
        ["fallback", "retry", "--tenant", "acme", "--all", "--type", " "],
        ["replay_events", "--tenant", "acme", "--type", ""],
        ["pause", "--category", "messaging", "--tenant", ""],
        ["create_api_key", "--tenant", "acme", "--scopes"],
    ],
)
def test_a_variable_that_is_not_set_acts_on_nothing(command: list[str]) -> None:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/pms"
    done = manage(*command, DATABASE_URL=nowhere)
    assert done.returncode == 2
    assert "expected at least one" in done.stderr or "it is empty" in done.stderr


def test_an_argument_that_is_no_utf_8_is_one_line() -> None:
    done = manage("fallback", "list", "--tenant", "acme", "--search", b"\xff")
    assert_one_line(done, "UTF-8")


def test_production_starts_when_everything_is_set() -> None:
    done = manage("check", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", sorted(PRODUCTION.keys() - {"DJANGO_DEBUG"}))
def test_production_says_which_setting_is_missing(missing: str) -> None:
    assert_one_line(manage("check", **{**PRODUCTION, missing: None}), missing)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DJANGO_SECRET_KEY", "changeme"),
        ("FIELD_ENCRYPTION_KEYS", "no-key"),
        ("FIELD_ENCRYPTION_KEYS", f"{PRODUCTION['FIELD_ENCRYPTION_KEYS']},"),
        (
            "FIELD_ENCRYPTION_KEYS",
            f"{PRODUCTION['FIELD_ENCRYPTION_KEYS']},ZGV2ZWxvcG1lbnQtb25seS1maWVsZC1rZXktMDEyMzQ=",
        ),
        ("DJANGO_ALLOWED_HOSTS", "*"),
        ("DATABASE_URL", "mysql://db/pms"),
        ("DATABASE_URL", "postgresql://db:port/pms"),
        ("CELERY_BROKER_URL", "nonsense"),
        ("PMS_LEASE_SECONDS", "long"),
        ("PMS_CLAIM_BATCH", "many"),
        ("DJANGO_DEBUG", "perhaps"),
    ],
)
def test_a_value_that_is_unsafe_or_none_is_refused_by_name(name: str, value: str) -> None:
    assert_one_line(manage("check", **{**PRODUCTION, name: value}), name)
