"""Every process is seen while it lives, and what it has counted is counted once, whatever becomes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from streams import connect
from telemetry.presence import GOOD_FOR, PROCESSES, REPEATED, TOTALS, Presence, Process, Report, call_roll
from tests.support.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.support.redis_server import RedisServer, running_redis


class Counting:
    """A process that counts."""

    def __init__(self) -> None:
        self.ended = 0

    def __call__(self) -> Report:
        return Report({"viewers": 3}, {"ended": self.ended, "never": 0}, {"st_a": 2})


@pytest.fixture
def proxy(server: RedisServer, tmp_path: Path) -> Iterator[FaultProxy]:
    with fault_proxy(tmp_path / "proxy.sock", server.socket) as proxy:
        yield proxy


def through(proxy: FaultProxy, *, retries: int) -> "redis.Redis":
    """A client whose replies can be lost."""
    return connect(proxy.url, retries=retries)


def of(client: "redis.Redis", process: str) -> Process:
    return next(each for each in call_roll(client).processes if each.id == process)


def be_silent_for(client: "redis.Redis", process: str, seconds: float) -> None:
    said: Any = client.hget(PROCESSES, process)
    moment, _, rest = said.partition(b" ")
    client.hset(PROCESSES, process, b"%d %s" % (int(moment) - int(seconds * 1000), rest))


def test_a_process_is_seen_as_it_says_it_is(client: "redis.Redis") -> None:
    presence = Presence(client, "web", Counting(), clock=lambda: 1000.0)
    presence.say()
    seen = of(client, presence.process)
    assert (seen.kind, seen.began, seen.numbers, seen.streams) == ("web", 1000.0, {"viewers": 3}, {"st_a": 2})
    assert 0 <= seen.heard < GOOD_FOR
    assert seen.host
    assert seen.pid > 0
    assert seen.version.startswith("0.")


def test_one_that_is_heard_of_no_more_is_forgotten_and_what_it_has_counted_is_not(client: "redis.Redis") -> None:
    counting = Counting()
    dead, alive = Presence(client, "web", counting), Presence(client, "worker", Counting())
    counting.ended = 5
    dead.say()
    alive.say()
    be_silent_for(client, dead.process, GOOD_FOR + 1)
    roll = call_roll(client)
    assert [each.id for each in roll.processes] == [alive.process]
    assert roll.totals == {"ended": 5}


def test_what_all_have_counted_is_added(client: "redis.Redis") -> None:
    counting = [Counting(), Counting()]
    both = [Presence(client, "web", each) for each in counting]
    for ended in (1, 1, 4):
        for each, presence in zip(counting, both, strict=True):
            each.ended += ended
            presence.say()
    assert call_roll(client).totals == {"ended": 12}


def test_a_report_that_arrives_twice_is_added_once(client: "redis.Redis", proxy: FaultProxy) -> None:
    counting = Counting()
    with through(proxy, retries=1) as cut_off:
        presence = Presence(cut_off, "web", counting)
        presence.say()
        for ended in (3, 5):
            counting.ended = ended
            proxy.script.append(Fault.CUT_AFTER)
            presence.say()
            assert call_roll(client).totals == {"ended": ended}
    assert proxy.harm == 2


def test_the_last_report_that_arrives_twice_is_added_once(client: "redis.Redis", proxy: FaultProxy) -> None:
    counting = Counting()
    with through(proxy, retries=1) as cut_off:
        presence = Presence(cut_off, "web", counting)
        presence.say()
        counting.ended = 3
        proxy.script.append(Fault.CUT_AFTER)
        presence.leave()
    assert proxy.harm == 1
    roll = call_roll(client)
    assert (roll.processes, roll.totals) == ([], {"ended": 3})


def test_a_report_is_added_once_also_of_a_process_that_was_not_seen_for_a_while(
    client: "redis.Redis", proxy: FaultProxy
) -> None:
    counting = Counting()
    with through(proxy, retries=0) as cut_off:
        presence = Presence(cut_off, "web", counting)
        presence.say()
        counting.ended = 3
        proxy.script.append(Fault.CUT_AFTER)
        with pytest.raises(redis.RedisError):
            presence.say()
        be_silent_for(client, presence.process, GOOD_FOR + 1)
        assert call_roll(client).processes == []
        counting.ended = 5
        presence.say()
        assert call_roll(client).totals == {"ended": 3}
        presence.say()
    roll = call_roll(client)
    assert ([each.id for each in roll.processes], roll.totals) == ([presence.process], {"ended": 5})


def test_of_one_that_is_not_seen_any_more_nothing_is_left_after_an_hour(client: "redis.Redis") -> None:
    left, dead = Presence(client, "web", Counting()), Presence(client, "worker", Counting())
    left.say()
    left.leave()
    dead.say()
    for seconds, kept in ((REPEATED - 60, 2), (61, 0)):
        for each in (left, dead):
            be_silent_for(client, each.process, seconds)
        assert call_roll(client).processes == []
        assert client.hlen(PROCESSES) == kept


def test_what_was_counted_while_redis_was_away_is_added_when_it_is_back() -> None:
    counting = Counting()
    with running_redis(durable=True) as server, redis.Redis.from_url(server.url) as client:
        presence = Presence(client, "web", counting)
        counting.ended = 2
        presence.say()
        server.kill()
        for ended in (3, 7):
            counting.ended = ended
            with pytest.raises(redis.RedisError):
                presence.say()
        server.start()
        presence.say()
        presence.say()
        assert call_roll(client).totals == {"ended": 7}


def test_one_that_leaves_is_gone_at_once_and_what_it_counted_last_is_there(client: "redis.Redis") -> None:
    counting = Counting()
    presence = Presence(client, "web", counting)
    presence.say()
    counting.ended = 2
    presence.leave()
    roll = call_roll(client)
    assert (roll.processes, roll.totals) == ([], {"ended": 2})


def test_one_that_has_said_nothing_leaves_nothing(client: "redis.Redis") -> None:
    Presence(client, "web", Counting()).leave()
    assert client.keys() == []


def test_both_end_by_themselves_when_nobody_is_there_any_more(client: "redis.Redis") -> None:
    counting = Counting()
    counting.ended = 1
    Presence(client, "web", counting).say()
    assert client.ttl(PROCESSES) > 0
    assert client.ttl(TOTALS) > 0


OTHERWISE = b'%d 1 {"kind": "web", "host": "h", "pid": 1, "version": "1", "began": 1, "numbers": {}, "streams": {}}'


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"x",
        b"9 1 {}",
        b"%d ",
        b"%d 1",
        b"%d 1 [1]",
        b'%d 1 {"kind": "web"}',
        b"%d 1 {",
        b"%d 1 " + b"[" * 100_000,
        OTHERWISE.replace(b'"pid": 1', b'"pid": 1e999'),
        OTHERWISE.replace(b'"began": 1', b'"began": 1e300'),
        OTHERWISE.replace(b'"began": 1', b'"began": NaN'),
        OTHERWISE.replace(b'"numbers": {}', b'"numbers": {"viewers": Infinity}'),
        OTHERWISE.replace(b'"numbers": {}', b'"numbers": {"viewers": -1}'),
        OTHERWISE.replace(b'"streams": {}', b'"streams": 5'),
    ],
)
def test_what_cannot_be_read_is_passed_over(client: "redis.Redis", said: bytes) -> None:
    presence = Presence(client, "web", Counting())
    presence.say()
    seconds, _ = client.time()
    client.hset(PROCESSES, "other", said.replace(b"%d", b"%d" % (int(seconds) * 1000)))
    assert [each.id for each in call_roll(client).processes] == [presence.process]
