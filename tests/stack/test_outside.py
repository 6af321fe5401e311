"""Journey 11 at the outside: a worker that dies between an effect and its settling."""

import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.dispatch.models import PendingDelivery
from apps.events.models import Delivery
from apps.sync.operations import create_endpoint
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.processes import Process, eventually

pytestmark = pytest.mark.stack


class Receiver:
    """Takes webhooks; answers the first only when told to, so that its sender can die meanwhile."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.may_answer = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver.ids.append(self.headers["webhook-id"])
                if len(receiver.ids) == 1:
                    receiver.may_answer.wait(30)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output to the test."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.may_answer.set()
    made.server.shutdown()
    made.server.server_close()


def test_a_receiver_tells_the_repeat_after_a_crash_by_its_id(
    acme: TenantRef,
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    receiver: Receiver,
) -> None:
    options = {"PMS_LEASE_SECONDS": "21", "PMS_ALLOW_PRIVATE_TARGETS": "1"}
    victim = worker(**options)
    beat()
    with entering(acme):
        create_endpoint(
            url=f"http://127.0.0.1:{receiver.server.server_port}/", patterns=["custom.told"]
        )
        publish_many([Envelope(id="1", source="test", type="custom.told", data={})])
    eventually(lambda: len(receiver.ids) == 1)
    victim.kill(signal.SIGKILL)  # the effect has happened outside, nobody settled it
    worker(**options)
    eventually(lambda: not PendingDelivery.objects.exists(), seconds=60)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    with entering(acme):
        told = Delivery.objects.get(handler="sync.send_webhook")
        assert (told.state, told.crashes, told.attempts) == ("done", 1, 2)
        assert f"dlv_{told.id}" == receiver.ids[0]
