"""A real server for the whole module, empty for each test, and what writes and reads in it."""

from collections.abc import Iterator

import pytest
import redis

import streams
from tests.support.redis_server import RedisServer, running_redis


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def client(shared_server: RedisServer) -> Iterator["redis.Redis"]:
    client = streams.connect(shared_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def settings() -> streams.StreamSettings:
    return streams.StreamSettings(lease=30.0)


@pytest.fixture
def control(client: "redis.Redis", settings: streams.StreamSettings) -> streams.StreamControl:
    return streams.StreamControl(client, settings)


@pytest.fixture
def writers(client: "redis.Redis", settings: streams.StreamSettings) -> Iterator[streams.StreamWriters]:
    writers = streams.StreamWriters(client, settings)
    writers.start()
    yield writers
    writers.close()
