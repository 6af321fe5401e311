"""The load: clients of several tenants, each with streams of its own, who resend until they hear yes."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

STREAMS = 4
_MOODS = ["fine"] * 12 + ["stumbles", "permanent"]


@dataclass(slots=True, kw_only=True)
class Client:
    """One client of a tenant. `accepted`: ids of events that were answered with a 2xx, by stream.

    Within a stream it sends the next only when it has heard yes, so the order is known.
    """

    tenant: str
    name: str
    key: str
    base_url: Callable[[], str]
    seed: int
    pause: float
    accepted: dict[str, list[str]] = field(default_factory=dict)
    resent: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; the event on the way is sent until it is accepted."""
        chance = random.Random(self.seed)
        session = requests.Session()
        streams = [f"{self.tenant}-{self.name}-{n}" for n in range(STREAMS)]
        self.accepted = {stream: [] for stream in streams}
        while not stop.wait(self.pause * chance.uniform(0.5, 1.5)):
            stream = chance.choice(streams)
            n = len(self.accepted[stream])
            event = {
                "id": f"{stream}-{n}",
                "source": "chaos",
                "type": "custom.step",
                "subject": stream,
                "data": {"stream": stream, "n": n, "mood": chance.choice(_MOODS)},
            }
            while not self._is_accepted(session, event):
                self.resent += 1
                threading.Event().wait(0.25)
            self.accepted[stream].append(event["id"])  # type: ignore[arg-type]

    def _is_accepted(self, session: requests.Session, event: dict[str, object]) -> bool:
        try:
            answer = session.post(
                f"{self.base_url()}/api/v1/events",
                json=event,
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=15,
            )
        except requests.RequestException as error:
            self.refused[type(error).__name__] += 1
            return False
        if answer.status_code != 202:
            self.refused[str(answer.status_code)] += 1
            return False
        return answer.json()["results"][0]["status"] in ("accepted", "duplicate")
