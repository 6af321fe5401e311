"""The round: every few minutes, in every tenant, what no event tells (`pms_events/rounds.py`)."""

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from apps.dispatch.locks import Lock, trying
from apps.engine.stopping import is_stopping
from apps.tenants.entering import TenantRef, entering, get_tenants
from pms_events.rounds import Check, checks

log = logging.getLogger(__name__)

_OF_ONE_TENANT = {"40001", "40P01", "55P03", "57014"}
"""SQLSTATEs of errors that Python's database API has as operational, while the database is there:
serialization, deadlock, lock timeout, statement timeout or cancel."""


def make_round(*, now: datetime) -> int:
    """Run each check in each active tenant; gives how many tenants were visited.

    0 when another process is on its round. A check that fails is logged with its tenant and keeps no
    other from running; the next round tries it again. A process that is told to stop ends the round.
    Raises: OperationalError, InterfaceError when the database is away.
    """
    visited = 0
    with trying(Lock.ROUND) as is_ours:
        for tenant in get_tenants() if is_ours else []:
            if is_stopping():
                break
            with entering(tenant):
                for name, check in checks():
                    _run(check, name=name, tenant=tenant, now=now)
            visited += 1
    return visited


def _run(check: Check, *, name: str, tenant: TenantRef, now: datetime) -> None:
    try:
        with transaction.atomic():
            check(now)
    except Exception as error:
        is_away = isinstance(error, OperationalError | InterfaceError)
        if is_away and getattr(error.__cause__, "pgcode", None) not in _OF_ONE_TENANT:
            raise
        log.exception("a check failed", extra={"tenant": tenant.schema_name, "check": name})
