"""Pauses and limits: at most so many deliveries of a scope leased at once; 0 is a pause.

A pause holds from the moment it is committed: no claim that begins later takes what it forbids. What is
running ends. Nothing is lost: a kept-back delivery is `paused` and remembers its cap, and the sweep
makes it ready when that cap is gone or has room.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.dispatch.clocks import clock_columns
from apps.dispatch.doorbells import ring_on_commit
from apps.dispatch.models import Cap
from apps.dispatch.statements import fetch
from pms_events.categories import Category
from pms_events.handlers import handlers

MOST_OF_A_TENANT = 100
"""Every claim looks at all there are: a tenant must not make those of the others dear."""

_STEP = 2000
_ROUNDS = 10
_ROOM_FACTOR = 20
"""How many deliveries come back for each free place of a limit, so that workers need not wait for the
next sweep; those that are too many are kept back again at their claim."""


class BadScope(ValueError):
    """The scope of a pause or limit names nothing, or something that does not exist."""


def get_caps() -> list[Cap]:
    """List all pauses and limits; there are few."""
    return list(Cap.objects.order_by("id"))


def is_closed(caps: Sequence[Cap], *, category: str) -> bool:
    """Tell whether a pause keeps the whole category of all tenants, so that nobody need look."""
    return any(
        cap.category == category and cap.at_most == 0 and cap.tenant_id is None and not cap.handler
        for cap in caps
    )


def has_limits(caps: Sequence[Cap], *, category: str) -> bool:
    """Tell whether what is leased already decides what may be claimed of a category."""
    names = {"", *names_in(category)}
    return not is_closed(caps, category=category) and any(
        cap.at_most > 0 and cap.category in ("", category) and cap.handler in names for cap in caps
    )


def names_in(category: str) -> list[str]:
    """Name the handlers that work in a category: a limit of another one does not concern it."""
    return [handler.name for handler in handlers if handler.category == category]


def set_cap(
    *,
    by: str,
    now: datetime,
    category: str = "",
    tenant_id: int | None = None,
    handler: str = "",
    target: str = "",
    at_most: int = 0,
    reason: str = "",
) -> Cap:
    """Pause a scope (`at_most` 0) or limit it; an existing cap of the same scope is changed.

    Raises: BadScope.
    """
    check_scope(category=category, tenant_id=tenant_id, handler=handler, target=target)
    if at_most < 0:
        raise BadScope("at_most is 0 (a pause) or more")
    scope = {"category": category, "tenant_id": tenant_id, "handler": handler, "target": target}
    kept = {"at_most": at_most, "reason": reason[:200], "created_by": by[:150], "created_at": now}
    try:
        with transaction.atomic():
            return Cap.objects.create(**scope, **kept)
    except IntegrityError:
        cap = Cap.objects.get(**scope)
        for name, value in kept.items():
            setattr(cap, name, value)
        cap.save()
        return cap


def check_scope(*, category: str, tenant_id: int | None, handler: str, target: str) -> None:
    """Raises: BadScope that says what to name instead; also when the tenant has too many others."""
    if not (category or tenant_id or handler):
        raise BadScope("name a category, a tenant or a handler: a pause of everything is none")
    if category and category not in set(Category):
        raise BadScope(f"there is no category '{category}': {', '.join(Category)}")
    if handler and handlers.find(handler) is None:
        known = ", ".join(sorted(h.name for h in handlers))
        raise BadScope(f"no handler is named '{handler}': {known}")
    if target and not handler:
        raise BadScope("a target belongs to a handler: name both")
    if tenant_id is None:
        return
    same = {"category": category, "handler": handler, "target": target}
    if Cap.objects.filter(tenant_id=tenant_id).exclude(**same).count() >= MOST_OF_A_TENANT:
        raise BadScope(
            f"a tenant has at most {MOST_OF_A_TENANT} pauses and limits: end one, or pause the whole "
            "handler or category"
        )


def remove_cap(cap: Cap) -> None:
    """End a pause or limit, and make ready what it kept back, at least the first of it at once."""
    Cap.objects.filter(pk=cap.pk).delete()
    unpark()


def unpark() -> set[str]:
    """Make ready what caps keep back that are gone or have room; gives the categories.

    In small transactions; what is left after some thousands, the next sweep does.
    """
    categories: set[str] = set()
    for cap_id, at_most, room in fetch("paused_caps", {}):
        if at_most is None:
            categories |= _unpark_all(cap_id)
        elif at_most > 0 and room > 0:
            categories |= _unpark(cap_id, limit=room * _ROOM_FACTOR)[1]
    return categories


def _unpark_all(cap_id: int) -> set[str]:
    categories: set[str] = set()
    for _ in range(_ROUNDS):
        count, found = _unpark(cap_id, limit=_STEP)
        categories |= found
        if count < _STEP:
            break
    return categories


def _unpark(cap_id: int, *, limit: int) -> tuple[int, set[str]]:
    with transaction.atomic():
        rows = fetch("unpark", {"cap_id": cap_id, "limit": limit, **clock_columns()})
        categories = {row[0] for row in rows}
        ring_on_commit(categories)
    return len(rows), categories
