"""Counting what is open in several processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.support.fault_proxy import fault_proxy, is_of_streams
from tests.support.redis_server import RedisServer
from webapp.defence.tally import Tally


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def process(client: "redis.Redis") -> Callable[..., Tally]:
    """A process's part in the tally."""

    def process(**settings: float) -> Tally:
        return Tally(client, **settings)  # type: ignore[arg-type]

    return process


def opened(tally: Tally, most: int = 3) -> bool:
    tally.add("ada")
    if tally.over({"ada": most}) is None:
        return True
    tally.remove("ada")
    return False


def test_all_processes_count_together(process: Callable[..., Tally]) -> None:
    one, two = process(), process()
    assert [opened(one), opened(two), opened(one), opened(two), opened(one)] == [True, True, True, False, False]


def test_each_name_is_counted_alone(process: Callable[..., Tally]) -> None:
    tally = process()
    assert opened(tally, 1)
    tally.add("eve")
    assert tally.over({"eve": 1}) is None


def test_of_names_that_are_counted_together_the_first_that_is_too_many_is_told_and_none_is_counted(
    process: Callable[..., Tally], client: "redis.Redis"
) -> None:
    one, two = process(), process()
    assert all([opened(one), opened(one), opened(one)])
    names = {"her network": 7, "ada": 3, "everybody": 0}
    for name in names:
        two.add(name)
    assert two.over(names) == "ada"
    assert len(client.keys("*")) == 1


def test_what_was_closed_makes_room_elsewhere_with_the_next_report(process: Callable[..., Tally]) -> None:
    one, two = process(), process()
    assert all([opened(one), opened(one), opened(one)])
    one.remove("ada")
    one.report()
    assert [opened(two), opened(two)] == [True, False]


def test_a_process_that_is_killed_has_nothing_open_for_long(
    process: Callable[..., Tally], client: "redis.Redis"
) -> None:
    killed, other = process(), process()
    assert all([opened(killed), opened(killed), opened(killed)])
    assert not opened(other)
    [key] = client.keys("*")
    [its] = client.hkeys(key)
    seconds, _ = client.time()
    client.hset(key, its, f"3:{seconds * 1000 - 1}")
    assert opened(other)


def test_what_was_closed_while_it_was_reported_is_reported_next(
    redis_server: RedisServer, client: "redis.Redis", tmp_path: Path
) -> None:
    with (
        fault_proxy(tmp_path / "proxy.sock", redis_server.socket) as proxy,
        redis.Redis.from_url(proxy.url) as slow,
    ):
        tally = Tally(slow)
        assert opened(tally)

        def closes(request: bytes) -> bool:
            if is_of_streams(request):
                tally.remove("ada")
            return False

        proxy.hits = closes
        tally.report()
        proxy.mend()
        assert client.keys("*") != []
        tally.report()
        assert client.keys("*") == []


def test_a_process_that_ends_says_so(process: Callable[..., Tally], client: "redis.Redis") -> None:
    leaving = process()
    assert opened(leaving)
    leaving.leave()
    assert client.keys("*") == []


def test_a_redis_that_was_emptied_is_told_anew(process: Callable[..., Tally], client: "redis.Redis") -> None:
    one, two = process(), process()
    assert all([opened(one), opened(one), opened(one)])
    client.flushall()
    one.report()
    assert not opened(two)


def test_a_number_is_good_for_as_long_as_it_is_reported(process: Callable[..., Tally], client: "redis.Redis") -> None:
    tally = process(good_for=1_000)
    assert opened(tally)
    [key] = client.keys("*")
    client.pexpire(key, 500_000)
    tally.report()
    assert client.pttl(key) > 500_000


def test_what_others_have_written_there_does_not_count(process: Callable[..., Tally], client: "redis.Redis") -> None:
    tally = process()
    assert opened(tally)
    [key] = client.keys("*")
    client.hset(key, mapping={"a": "many", "b": "7", "c": "9:soon"})
    assert opened(tally, 2)
    assert len(client.hkeys(key)) == 1
