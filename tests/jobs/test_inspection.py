"""What somebody who looks on is told of a queue."""

from datetime import UTC, datetime, timedelta

import redis
from rq.queue import Queue
from rq.worker import Worker

from jobs import SERIALIZER, Handover
from jobs.inspection import look_at_queue


def test_an_empty_queue_that_nobody_serves(client: "redis.Redis") -> None:
    sight = look_at_queue(client, "generations")
    assert (sight.waiting, sight.oldest, sight.running, sight.workers) == (0, None, 0, ())


def test_what_waits_is_counted_from_the_one_that_waits_longest(client: "redis.Redis", hand_over: Handover) -> None:
    hand_over("s", "c", "m")
    later = datetime.now(UTC) + timedelta(seconds=100)
    hand_over("t", "c", "m")
    sight = look_at_queue(client, "generations", now=lambda: later)
    assert sight.waiting == 2
    assert sight.oldest is not None
    assert 99 < sight.oldest <= 101


def test_a_worker_is_seen_while_it_is_registered(client: "redis.Redis", queue: Queue) -> None:
    worker = Worker([queue], connection=client, serializer=SERIALIZER, name="ada")
    worker.register_birth()  # type: ignore[no-untyped-call]
    [seen] = look_at_queue(client, "generations").workers
    assert (seen.name, seen.host) == ("ada", worker.hostname)
    worker.register_death()  # type: ignore[no-untyped-call]
    assert look_at_queue(client, "generations").workers == ()
