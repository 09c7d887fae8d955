"""Brokers that the tests publish to, those that are down, and the shop's Celery app."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, _state
from kombu import Connection

URLS = {
    "redis": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
    "rabbitmq": os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
SCHEMES = {
    "redis": "redis://127.0.0.1:{port}/0",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:{port}//",
}


class Broker:
    """A queue of this test's own on a broker that runs."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.queue = f"medusa_payments_test_{uuid4().hex}"
        self._connection = Connection(url, connect_timeout=3, transport_options={"max_retries": 1})

    def waiting(self) -> int:
        """How many messages no worker has taken yet."""
        channel = self._connection.default_channel
        channel.queue_declare(self.queue, durable=True, auto_delete=False)
        try:
            return int(channel.queue_declare(self.queue, passive=True).message_count)
        except self._connection.channel_errors:  # Redis has no empty queues
            return 0

    def take(self) -> Any:
        """The next message, as a worker gets it."""
        message = self._connection.default_channel.basic_get(self.queue, no_ack=True)
        return self._connection.default_channel.message_to_python(message)

    def lose_messages(self) -> None:
        self._connection.default_channel.queue_purge(self.queue)

    def close(self) -> None:
        channel = self._connection.default_channel
        channel.queue_delete(self.queue)
        if self.url.startswith("redis"):  # this connection has bound nothing, so it deletes nothing
            for key in channel.client.keys(f"*{self.queue}"):
                channel.client.delete(key)
        self._connection.release()


def running(name: str) -> Broker:
    broker = Broker(URLS[name])
    try:
        broker.waiting()
    except Exception as error:  # noqa: BLE001 - each client has its own
        pytest.skip(f"needs {name} at {broker.url.rpartition('@')[2]}: {error}")
    return broker


@contextmanager
def down(name: str, how: str) -> Iterator[str]:
    """Url of a broker that refuses connections, or takes them and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if how == "silent":
            listener.listen(16)
        yield SCHEMES[name].format(port=listener.getsockname()[1])


@contextmanager
def celery_app(url: str, queue: str = "nobody_listens", **conf: Any) -> Iterator[Celery]:
    """The shop's Celery app, as all threads of this process see it."""
    before = _state.default_app, _state._tls.current_app
    app = Celery("shop_of_the_tests", broker=url, set_as_current=False)
    app.conf.update(task_default_queue=queue, **conf)
    _state.set_default_app(app)
    _state._tls.current_app = None
    yield app
    _state.set_default_app(before[0])
    _state._tls.current_app = before[1]
