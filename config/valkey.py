"""What kombu's transport for Redis and Valkey lacks: a worker must outlive its broker."""

from typing import Any

from kombu.transport import redis


class QoS(redis.QoS):
    """Gives back what is not acknowledged when its channel closes, if there still is a connection.

    kombu tries without one, too, when the broker went away while it was waiting for messages: the worker
    then ended with an AttributeError (github.com/celery/kombu/issues/582 is of that kind). What is not
    given back comes again when its visibility timeout is over.
    """

    def restore_unacked_once(self, stderr: Any = None) -> None:
        connection = self.channel.connection
        if connection is None or connection.client is None:
            self._on_collect.cancel()
            return
        super().restore_unacked_once(stderr)


def install() -> None:
    """Make kombu use it. Called once, by the start-up of Celery."""
    redis.Channel.QoS = QoS
