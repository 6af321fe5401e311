"""The catalogue and the handlers refuse what contradicts itself, and name the offender."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest

from pms_events.categories import AUTOMATION, P3
from pms_events.context import Context
from pms_events.errors import InvalidEvent, RegistryError
from pms_events.event_types import Catalogue, EventType, catalogue
from pms_events.handlers import Effects, Handler, Handlers, handlers
from pms_events.payloads import Payload
from pms_events.retry import Retry


class DoorOpened(Payload):
    """A door was opened."""

    door: str
    example: ClassVar = {"door": "12"}


class DoorClosed(DoorOpened):
    """A door was closed."""


class Broken(DoorOpened):
    """Its example does not fit."""

    example: ClassVar = {"dor": "12"}


def entry(name: str, payload: type[Payload] = DoorOpened, stream: str = "door:{door}") -> EventType:
    return EventType(name=name, category=AUTOMATION, priority=P3, stream=stream, payload=payload)


def nothing(event: Any, context: Context) -> None:
    """Do nothing."""


def something(event: Any, context: Context) -> None:
    """Do nothing, too."""


def made(name: str, *types: str, function: Any = nothing) -> Handler:
    return Handler(
        name=name,
        function=function,
        types=types,
        category=AUTOMATION,
        effects=Effects.DATABASE,
        retry=Retry(),
    )


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (entry("Door Opened"), "DoorOpened: 'Door Opened' is no event type"),
        (entry("door.opened", stream="all"), "DoorOpened: bad stream rule 'all'"),
        (
            entry("door.opened", stream="{dor}"),
            "DoorOpened: bad stream rule '{dor}'.*no field 'dor'",
        ),
        (entry("door.opened", stream="{door"), "DoorOpened: bad stream rule '{door'"),
        (entry("door.opened", Broken), "Broken: its example does not fit"),
    ],
)
def test_a_bad_event_type_is_refused_by_name(bad: EventType, said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        Catalogue().add(bad)


def test_a_taken_event_type_names_both_classes() -> None:
    types = Catalogue()
    types.add(entry("door.opened"))
    with pytest.raises(
        RegistryError, match=r"DoorClosed: .*'door.opened' is already taken by .*DoorOpened"
    ):
        types.add(entry("door.opened", DoorClosed))
    assert [known.payload for known in types] == [DoorOpened]


def test_a_taken_handler_name_names_both_functions() -> None:
    registry = Handlers()
    registry.add(made("a.b", "door.opened"))
    with pytest.raises(RegistryError, match=r"something: handler name 'a.b' is taken by .*nothing"):
        registry.add(made("a.b", "door.opened", function=something))


def test_a_handler_of_an_unknown_type_is_told_at_start_up() -> None:
    types, registry = Catalogue(), Handlers()
    types.add(entry("door.opened"))
    registry.add(made("a.known", "door.*"))
    registry.check(types)
    registry.add(made("a.lost", "window.opened"))
    with pytest.raises(RegistryError, match=r"'a.lost' waits for 'window.opened'"):
        registry.check(types)


def test_the_program_s_own_registry_holds_together() -> None:
    handlers.check(catalogue)
    assert {h.category.value for h in handlers} >= {"bookings", "housekeeping", "reporting", "sync"}


@pytest.mark.parametrize("known", list(catalogue), ids=lambda known: known.name)
def test_every_type_has_a_summary_a_schema_and_a_fitting_example(known: EventType) -> None:
    assert known.summary
    assert known.json_schema["type"] == "object"
    known.validate(known.example)


def test_a_type_of_a_family_is_found_and_its_own_entry_wins() -> None:
    types = Catalogue()
    types.add(entry("door.*"))
    types.add(entry("door.closed", DoorClosed))
    assert types.find("door.slammed").payload is DoorOpened  # type: ignore[union-attr]
    assert types.find("door.closed").payload is DoorClosed  # type: ignore[union-attr]
    assert types.find("window.closed") is None


def test_the_stream_comes_from_the_payload_the_subject_or_the_id() -> None:
    known = entry("door.opened", stream="door:{door}/{subject}")
    assert known.stream_of(subject="s", event_id="1", data={"door": "12"}) == "door:12/s"
    assert known.stream_of(subject="", event_id="1", data={"door": "12"}) == "door:12/1"
    assert len(known.stream_of(subject="s" * 400, event_id="1", data={})) == 255


def test_a_bad_payload_is_told_with_a_pointer() -> None:
    with pytest.raises(InvalidEvent) as refused:
        entry("door.opened").validate({"door": 12})
    assert [error.pointer for error in refused.value.errors] == ["#/data/door"]


def test_a_retry_that_makes_no_sense_is_refused() -> None:
    for options in (
        {"attempts": 0},
        {"first": timedelta(0)},
        {"factor": 0.5},
        {"first": timedelta(hours=1), "ceiling": timedelta(minutes=1)},
    ):
        with pytest.raises(ValueError, match="Retry"):
            Retry(**options)  # type: ignore[arg-type]
