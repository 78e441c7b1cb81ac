"""Counting over all processes, of which one may be another version, or write nonsense."""

from collections.abc import Callable

import pytest
import redis

from streams import keys
from webapp.following.audience import Audience
from webapp.services import Services


@pytest.mark.parametrize(
    "value", [b"", b"3", b"x:99999999999", b"3:never", b"-3:99999999999", b"\xff", b"3:nan", b"3:inf"]
)
def test_what_is_no_number_counts_nothing(services: Services, value: bytes) -> None:
    services.redis.hset(keys.audience("c"), "theirs", value)
    audience = Audience(services.redis)
    audience.report({"c": 2})
    assert audience.totals(["c"]) == [2]


def put_text(client: "redis.Redis") -> None:
    client.set(keys.audience("c"), "of another type")


def put_list(client: "redis.Redis") -> None:
    client.rpush(keys.audience("c"), "of another type")


@pytest.mark.parametrize("put", [put_text, put_list])
def test_a_key_of_another_type_keeps_no_other_conversation_from_being_counted(
    services: Services, put: Callable[["redis.Redis"], None]
) -> None:
    put(services.redis)
    audience = Audience(services.redis)
    audience.report({"c": 1, "d": 2})
    assert audience.totals(["c", "d"]) == [0, 2]
    audience.leave()
    assert audience.totals(["d"]) == [0]
