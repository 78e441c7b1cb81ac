"""The Redis of tests/streams, and a queue in it."""

import pytest
import redis
from rq.queue import Queue

from jobs import Handover, open_queue
from streams import StreamControl
from tests.streams.conftest import client, control, settings, shared_server  # noqa: F401  pytest finds them by name


@pytest.fixture
def queue(client: "redis.Redis") -> Queue:  # noqa: F811
    return open_queue(client, "generations")


@pytest.fixture
def hand_over(control: StreamControl, queue: Queue) -> Handover:  # noqa: F811
    return Handover(control, queue, generation_timeout=100.0)
