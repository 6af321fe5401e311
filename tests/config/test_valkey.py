"""A worker's connection to Valkey ends without an error when Valkey went away."""

import socket
from pathlib import Path

import pytest
from kombu import Connection, Consumer, Message, Queue

from config.servers import start_valkey


def test_a_connection_whose_server_went_away_while_it_polled_is_closed(tmp_path: Path) -> None:
    valkey = start_valkey(tmp_path)
    taken: list[Message] = []
    connection = Connection(valkey.url, transport_options={"socket_timeout": 3})
    for name, channel in (("q", connection.default_channel), ("p", connection.channel())):
        Consumer(
            channel, [Queue(name)], callbacks=[lambda _, message: taken.append(message)]
        ).consume()
    connection.Producer().publish({"n": 1}, routing_key="q", exchange="")
    connection.drain_events(timeout=2)
    with pytest.raises(socket.timeout):
        connection.drain_events(timeout=0.1)
    assert not taken[0].acknowledged
    valkey.stop()
    connection.collect(socket_timeout=0.1)  # as a worker does that lost its broker
    connection.close()
