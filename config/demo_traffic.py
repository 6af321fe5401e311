"""Demo traffic over HTTP: what a channel and a front desk send, so that no screen is empty."""

import json
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import requests

UNITS = {"seaview": ("Seaview Apartments", 5), "harbor-house": ("Harbor House", 3)}
PROPERTY_OF = {"acme": "seaview", "harbor": "harbor-house"}


class Client:
    """The API of one tenant, as an integrator uses it."""

    def __init__(self, base_url: str, tenant: dict[str, str]) -> None:
        self._url = f"{base_url}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {tenant['api_key']}"

    def post(self, path: str, body: Any) -> Any:
        answer = self._session.post(f"{self._url}/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self._session.get(f"{self._url}/{path}", params=parameters, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def get_page(self, path: str, cursor: str) -> Any:
        """Get the page that a list's `next` names."""
        return self.get(path, limit=500, cursor=unquote(cursor))


def booking_event(
    kind: str, ref: str, *, property_id: str, unit: str, arrival: date, nights: int,
    channel: str = "booking.com", revision: int = 1, minor: int = 30000,
) -> dict[str, Any]:  # fmt: skip
    """Write a booking.created or .modified as a channel states it."""
    now = datetime.now(UTC)
    data: dict[str, Any] = {
        "external_ref": {"source": channel, "booking_ref": ref, "revision_ref": str(revision)},
        "property_id": property_id,
        "stays": [
            {
                "stay_ref": f"{ref}-1",
                "unit_id": unit,
                "arrival": arrival.isoformat(),
                "departure": (arrival + timedelta(days=nights)).isoformat(),
                "adults": 2,
                "children": 0,
            }
        ],
        "status": "confirmed",
        "channel": channel,
        "booked_at": now.isoformat(),
        "total": {"amount_minor": minor, "currency": "EUR"},
        "guest_ref": f"guest-{ref.lower()}",
    }
    if kind == "booking.modified":
        data["revision"] = revision
    return _event(kind, ref, revision, channel, data, now)


def cancellation_event(ref: str, *, channel: str, revision: int) -> dict[str, Any]:
    """Write a booking.cancelled."""
    now = datetime.now(UTC)
    data = {
        "external_ref": {"source": channel, "booking_ref": ref, "revision_ref": str(revision)},
        "cancelled_at": now.isoformat(),
        "revision": revision,
        "reason": "guest changed plans",
    }
    return _event("booking.cancelled", ref, revision, channel, data, now)


def _event(
    kind: str, ref: str, revision: int, channel: str, data: dict[str, Any], now: datetime
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{ref}:{revision}",
        "source": channel,
        "type": kind,
        "subject": ref,
        "time": now.isoformat(),
        "data": data,
    }


def add_property(client: Client, ref: str) -> list[str]:
    """Make a demo property with its units where they are missing; gives the ids of the units."""
    name, count = UNITS[ref]
    _ensure(client, "properties", {"id": ref, "name": name, "timezone": "Europe/Lisbon"})
    units = [f"{ref}-{100 + n}" for n in range(1, count + 1)]
    for unit in units:
        _ensure(
            client,
            "units",
            {"id": unit, "property_id": ref, "name": unit.rpartition("-")[2], "unit_type": "flat"},
        )
    return units


def _ensure(client: Client, path: str, body: Any) -> None:
    try:
        client.post(path, body)
    except requests.HTTPError as error:
        if error.response.status_code != HTTPStatus.CONFLICT:
            raise


def send_demo_traffic(base_url: str, demo: dict[str, Any]) -> None:
    """Make properties and units, then send bookings, changes, a conflict, what fails, and hooks.

    Safe to run again after a first start that was interrupted on the way.
    """
    for name, tenant in demo["tenants"].items():
        client = Client(base_url, tenant)
        ref = PROPERTY_OF[name]
        units = add_property(client, ref)
        if not client.get("endpoints")["results"]:
            client.post(
                "endpoints",
                {
                    "url": "http://127.0.0.1:9/hooks/pms",
                    "description": "A receiver that is down, to show a delivery that fails",
                    "patterns": ["booking.conflict_detected", "booking.cancelled"],
                },
            )
        client.post("events", _story(name.upper(), ref, units))
        if not client.get("connections")["results"]:
            made = client.post(
                "connections", {"name": "Door locks", "silent_after_seconds": 7 * 86400}
            )
            _send_to_hook(made["url"], units)


def _send_to_hook(url: str, units: list[str]) -> None:
    """Post as a bridge of door locks would: a batch, a single event, one repeated, and rubbish."""
    now = datetime.now(UTC).isoformat()
    batch = [
        {
            "specversion": "1.0", "id": f"lock-{unit}", "source": "door-locks", "subject": unit,
            "type": "custom.door_opened", "time": now, "data": {"unit": unit, "by": "code"},
        }
        for unit in units
    ]  # fmt: skip
    event = {"type": "custom.battery_low", "timestamp": now, "data": {"unit": units[0]}}
    nameless = {"source": "door-locks", "type": "custom.door_opened", "data": {"unit": units[1]}}
    json_type = {"Content-Type": "application/json"}
    for body, headers in (
        (json.dumps(batch), {"Content-Type": "application/cloudevents-batch+json"}),
        (json.dumps(event), {**json_type, "webhook-id": "msg_1"}),
        (json.dumps(event), {**json_type, "webhook-id": "msg_1"}),
        (json.dumps(nameless), json_type),
        ("<html>502 Bad Gateway</html>", json_type),
    ):
        requests.post(url, data=body, headers=headers, timeout=30).raise_for_status()


def _story(prefix: str, property_id: str, units: list[str]) -> list[dict[str, Any]]:
    first = datetime.now(UTC).date() + timedelta(days=3)
    events = []
    for n in range(12):
        events.append(
            booking_event(
                "booking.created", f"{prefix}-{1000 + n}", property_id=property_id,
                unit=units[n % len(units)], arrival=first + timedelta(days=4 * (n // len(units))),
                nights=3, channel=("booking.com", "airbnb", "direct")[n % 3],
                minor=24000 + 1500 * n,
            )
        )  # fmt: skip
    events += [
        booking_event(
            "booking.modified", f"{prefix}-1000", property_id=property_id, unit=units[0],
            arrival=first, nights=4, revision=2,
        ),
        cancellation_event(f"{prefix}-1001", channel="airbnb", revision=2),
        # The same nights as another channel sold: both are kept, a person decides.
        booking_event(
            "booking.created", f"{prefix}-2000", property_id=property_id, unit=units[2],
            arrival=first + timedelta(days=1), nights=2, channel="airbnb",
        ),
        # A room that nobody has mapped yet: ends in the fallback queue.
        booking_event(
            "booking.created", f"{prefix}-3000", property_id="old-mill", unit="old-mill-1",
            arrival=first, nights=2,
        ),
        {
            "specversion": "1.0", "id": f"{prefix}-note", "source": "front-desk",
            "type": "custom.minibar_refilled", "subject": units[0], "data": {"unit": units[0]},
        },
    ]  # fmt: skip
    return events
