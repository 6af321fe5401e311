"""The round: every few minutes, in every tenant, what no event tells (`pms_events/rounds.py`)."""

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from apps.dispatch.locks import Lock, trying
from apps.engine.stopping import is_stopping
from apps.tenants.entering import TenantRef, entering, get_tenants
from pms_events.rounds import Check, checks

log = logging.getLogger(__name__)


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
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("a check failed", extra={"tenant": tenant.schema_name, "check": name})
