"""Redis or the database is away just when it is needed. The answer is not lost, and nobody waits for ever."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from conversations import Status
from streams import Outcome, keys
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import PATIENCE, Bench

pytestmark = pytest.mark.timeout(300)  # the first test of a module also waits for the worker to start


@pytest.fixture(scope="module", autouse=True)
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    with bench.worker(CHECKPOINT_INTERVAL="0.2") as worker:
        yield worker


@contextmanager
def broken_database(bench: Bench) -> Iterator[None]:
    """For the length of the block every statement about messages fails, at once."""
    path = bench.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=120)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")  # Other tables keep speaking of `messages`.
        connection.execute("ALTER TABLE messages RENAME TO hidden")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE hidden RENAME TO messages")


def is_unsettled(bench: Bench, stream_id: str) -> bool:
    return bench.redis.zscore(keys.UNSETTLED, stream_id) is not None


def test_an_answer_that_ends_while_redis_is_frozen_reaches_the_database_then_and_redis_later(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["Tha", {"wait": "stored"}, "wed", {"wait": "frozen"}, " out"]})
    bench.wait_for_text(stream_id, "Tha")
    bench.model.release("stored")
    bench.wait_for_text(stream_id, "Thawed")  # So the worker knows that its first chunk is stored: it is its answer.
    bench.redis_server.pause()
    try:
        bench.model.release("frozen")
        message = bench.wait_saved(stream_id)
    finally:
        bench.redis_server.resume()
    assert (message.content, message.status) == ("Thawed out", Status.FINISHED)
    recording = bench.wait_ended(stream_id)
    assert recording.end is not None
    assert (recording.text, recording.end.outcome) == ("Thawed out", Outcome.FINISHED)
    wait_until(lambda: not is_unsettled(bench, stream_id), PATIENCE, "the retention to begin")


def test_a_redis_that_was_emptied_in_mid_answer_holds_all_of_it_again(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["Once", " upon", {"wait": "emptied"}, " a time"]})
    bench.wait_for_text(stream_id, "Once upon")
    bench.redis_server.kill()
    bench.redis_server.start()
    bench.model.release("emptied")
    assert bench.wait_ended(stream_id).text == "Once upon a time"
    assert bench.wait_saved(stream_id).content == "Once upon a time"


def test_an_answer_waits_for_a_database_that_is_away_at_its_end(bench: Bench, worker: WorkerProcess) -> None:
    stream_id = bench.send({"deltas": ["Kept", {"wait": "broken"}, " safe"]})
    bench.wait_for_text(stream_id, "Kept")
    with broken_database(bench):
        bench.model.release("broken")
        assert bench.wait_ended(stream_id).text == "Kept safe"  # Who follows it sees the end at once.
        wait_until(lambda: "could not save the answer, trying again" in worker.log, PATIENCE)
        assert is_unsettled(bench, stream_id)
    message = bench.wait_saved(stream_id)
    assert (message.content, message.status) == ("Kept safe", Status.FINISHED)
    wait_until(lambda: not is_unsettled(bench, stream_id), PATIENCE, "the retention to begin")


def test_an_answer_waits_for_a_database_that_is_away_at_its_beginning(bench: Bench, worker: WorkerProcess) -> None:
    with bench.suspended():
        stream_id = bench.send(content="Good morning")
        with broken_database(bench):
            bench.resume()
            wait_until(lambda: "could not begin the answer, trying again" in worker.log, PATIENCE)
    assert bench.wait_saved(stream_id).content == "Good morning "
