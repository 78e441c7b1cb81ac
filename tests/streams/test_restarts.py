"""A stream whose worker was gone before the first chunk is begun again: once, by one, whoever dies at whatever step."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from threading import Barrier

import pytest
import redis

import streams
from streams import keys, scripts
from tests.support.waiting import wait_until
from tests.support.writing import die

SHORT, LONG = streams.StreamSettings(lease=0.2), streams.StreamSettings(lease=60.0)
EXPIRY = 60_000  # ms


class JobQueue:
    """Takes an id once, as RQ does; and fails as often as it is told to."""

    def __init__(self) -> None:
        self.jobs: list[str] = []
        self.asked = 0
        self.broken = 0
        self.error: Exception = OSError("this queue is out of order")
        self.forgotten = False

    def __call__(self, stream_id: str) -> bool:
        self.asked += 1
        if self.broken:
            self.broken -= 1
            raise self.error
        if stream_id not in self.jobs and not self.forgotten:
            self.jobs.append(stream_id)
        return not self.forgotten


@pytest.fixture
def queue() -> JobQueue:
    return JobQueue()


@pytest.fixture
def saved() -> list[streams.Recording]:
    return []


@pytest.fixture
def restarts(client: "redis.Redis", queue: JobQueue) -> streams.Restarts:
    return streams.Restarts(client, SHORT, queue)


@pytest.fixture
def reaper(
    client: "redis.Redis", saved: list[streams.Recording], restarts: streams.Restarts
) -> Iterator[streams.Reaper]:
    """It looks by itself, as in every process."""
    reaper = streams.Reaper(client, SHORT, saved.append, restarts)
    reaper.start()
    yield reaper
    reaper.close()


@dataclass(frozen=True)
class Producer:
    """A process that writes stream "s". It has no heartbeat, and so is taken for dead when its lease is over."""

    writer: streams.StreamWriter
    flush: Callable[[], bool]


Begin = Callable[..., Producer]


@pytest.fixture
def begin(client: "redis.Redis") -> Iterator[Begin]:
    with ExitStack() as stack:

        def begin(settings: streams.StreamSettings = SHORT) -> Producer:
            writers = streams.StreamWriters(client, settings)
            return Producer(stack.enter_context(writers.open("s")), writers.flush)

        yield begin


def state(client: "redis.Redis", field: str) -> str | None:
    value = client.hget(keys.state("s"), field)
    return value.decode() if isinstance(value, bytes) else None


def let_lease_run_out(client: "redis.Redis") -> None:
    client.hset(keys.state("s"), "lease", 1)


def decide(client: "redis.Redis", fence: str = "") -> bytes:
    """What again.lua says, without anybody who acts on it."""
    verdict: bytes = scripts.again(client, [keys.chunks("s"), keys.state("s"), keys.news("s")], [fence, EXPIRY, EXPIRY])
    return verdict


@pytest.mark.usefixtures("reaper")
def test_a_stream_whose_writer_died_before_its_first_chunk_is_queued_again(
    client: "redis.Redis",
    control: streams.StreamControl,
    begin: Begin,
    queue: JobQueue,
    saved: list[streams.Recording],
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin()
    wait_until(lambda: state(client, "again") == "queued", what="it to be queued")
    assert queue.jobs == ["s"]
    assert control.progress(["s"]) == [streams.Progress("queued", None, 0)]
    [told] = caplog.records
    assert told.message == "a worker died before the first chunk of its answer; the job is queued again"
    assert told.stream_id == "s"  # type: ignore[attr-defined]
    assert saved == []


@pytest.mark.usefixtures("reaper")
def test_it_is_then_written_by_another_writer_who_knows_of_it(
    client: "redis.Redis", begin: Begin, saved: list[streams.Recording]
) -> None:
    first = begin()
    wait_until(lambda: state(client, "again") == "queued", what="it to be queued")
    second = begin(LONG)
    assert (first.writer.again, second.writer.again) == (False, True)
    second.writer.append(streams.Kind.TEXT, "Once")
    second.writer.end(streams.End(streams.Outcome.FINISHED))
    second.flush()
    client.zadd(keys.UNSETTLED, {"s": 1})  # long overdue
    wait_until(lambda: saved, what="it to be saved")
    assert (saved[0].text, saved[0].end) == ("Once", streams.End(streams.Outcome.FINISHED))


@pytest.mark.usefixtures("reaper")
def test_one_who_dies_like_the_first_ends_it_as_interrupted(
    client: "redis.Redis", begin: Begin, queue: JobQueue, saved: list[streams.Recording]
) -> None:
    begin()
    wait_until(lambda: state(client, "again") == "queued", what="it to be queued")
    begin()
    wait_until(lambda: saved, what="it to be saved")
    assert saved[0].end == streams.End(
        streams.Outcome.INTERRUPTED, "The worker that was writing this answer stopped unexpectedly."
    )
    assert queue.asked == 1


def test_notes_are_no_chunks_of_an_answer_and_are_gone_with_it(client: "redis.Redis", begin: Begin) -> None:
    producer = begin()
    producer.writer.note("The model is loading…")
    producer.writer.note("The model is busy…")
    producer.flush()
    assert client.llen(keys.chunks("s")) == 2
    let_lease_run_out(client)
    assert decide(client) == b"owed"
    assert client.llen(keys.chunks("s")) == 0


@pytest.mark.parametrize("kind", streams.Kind)
def test_what_has_some_of_its_answer_is_ended_and_kept(
    client: "redis.Redis", begin: Begin, kind: streams.Kind, saved: list[streams.Recording], reaper: streams.Reaper
) -> None:
    producer = begin(LONG)
    producer.writer.note("The model is loading…")
    producer.writer.append(kind, "Hm")
    producer.writer.note("The model is busy…")
    producer.flush()
    die(client, "s")
    wait_until(lambda: saved, what="it to be saved")
    reaper.close()
    assert saved[0].text + saved[0].reasoning == "Hm"
    assert saved[0].end is not None
    assert saved[0].end.outcome is streams.Outcome.INTERRUPTED
    assert state(client, "again") is None


def test_a_chunk_of_a_kind_that_is_not_known_here_counts(client: "redis.Redis", begin: Begin) -> None:
    begin()
    client.rpush(keys.chunks("s"), "x:from a newer version")
    let_lease_run_out(client)
    assert decide(client) == b"no"


def test_a_writer_whose_lease_has_not_run_out_is_left_alone(client: "redis.Redis", begin: Begin) -> None:
    begin(LONG)
    assert decide(client) == b"alive"
    assert state(client, "epoch") is not None


def test_a_stream_that_a_worker_took_and_never_began_is_begun_again_once(
    client: "redis.Redis", control: streams.StreamControl
) -> None:
    control.announce("s")
    control.mark_taken("s", 0.001)
    wait_until(lambda: decide(client) == b"owed", what="the worker to be taken for dead")
    control.mark_taken("s", 0.001)  # by the next, who dies as well
    wait_until(lambda: decide(client) == b"no", what="that one to be taken for dead")


def test_a_stream_that_nobody_took_is_not(client: "redis.Redis", control: streams.StreamControl) -> None:
    control.announce("s")
    assert decide(client) == b"alive"
    let_lease_run_out(client)
    assert decide(client) == b"no"


def test_a_stream_that_somebody_stopped_is_not_begun_again(
    client: "redis.Redis", control: streams.StreamControl, begin: Begin
) -> None:
    begin()
    control.ask_cancel("s")
    let_lease_run_out(client)
    assert decide(client) == b"no"


def test_a_stream_that_waits_to_be_begun_again_is_stopped_at_once(
    client: "redis.Redis", control: streams.StreamControl, begin: Begin
) -> None:
    begin()
    let_lease_run_out(client)
    assert decide(client) == b"owed"
    assert control.ask_cancel("s")
    assert control.read("s").end == streams.End(streams.Outcome.CANCELLED, "Stopped before the answer began.")
    assert decide(client) == b"no"
    with pytest.raises(streams.StreamEnded):
        begin()


@pytest.mark.parametrize("is_written", [False, True])
def test_a_writer_that_was_only_asleep_writes_nothing_more_and_knows_that_another_has_its_stream(
    client: "redis.Redis", begin: Begin, is_written: bool
) -> None:
    sleeper = begin()
    let_lease_run_out(client)
    assert decide(client) == b"owed"
    if is_written:
        begin()
    sleeper.writer.append(streams.Kind.TEXT, "awake")
    sleeper.flush()
    with pytest.raises(streams.Fenced) as fenced:
        sleeper.writer.wait_stored(0)
    assert fenced.value.handed_on
    assert client.llen(keys.chunks("s")) == 0


def test_a_writer_whose_stream_was_ended_knows_that_no_other_has_it(
    client: "redis.Redis", begin: Begin, saved: list[streams.Recording]
) -> None:
    sleeper = begin()
    with closing(streams.Reaper(client, SHORT, saved.append)) as reaper:
        reaper.start()
        wait_until(lambda: saved, what="it to be ended")
    sleeper.writer.append(streams.Kind.TEXT, "awake")
    sleeper.flush()
    with pytest.raises(streams.Fenced) as fenced:
        sleeper.writer.wait_stored(0)
    assert not fenced.value.handed_on


def test_whoever_dies_between_the_verdict_and_the_queue_leaves_it_to_the_next(
    client: "redis.Redis", begin: Begin, queue: JobQueue, restarts: streams.Restarts
) -> None:
    begin()
    let_lease_run_out(client)
    assert decide(client) == b"owed"  # …and nothing more is heard of who asked
    assert queue.asked == 0
    assert restarts.look("s") == b"queued"
    assert restarts.look("s") == b"queued"
    assert (queue.jobs, queue.asked) == (["s"], 1)


@pytest.mark.parametrize("error", [OSError("out of order"), redis.ConnectionError("the queue's Redis is away")])
def test_a_queue_that_is_out_of_order_is_asked_again(
    client: "redis.Redis", begin: Begin, queue: JobQueue, restarts: streams.Restarts, error: Exception
) -> None:
    queue.broken, queue.error = 1, error
    begin()
    let_lease_run_out(client)
    restarts.look("s")
    assert state(client, "again") == "owed"
    restarts.look("s")
    assert (queue.jobs, state(client, "again")) == (["s"], "queued")


def test_of_many_who_look_at_once_one_queues_it_and_says_so(
    client: "redis.Redis", begin: Begin, queue: JobQueue, restarts: streams.Restarts, caplog: pytest.LogCaptureFixture
) -> None:
    begin()
    let_lease_run_out(client)
    together = Barrier(4)

    def look(_: int) -> bytes:
        together.wait(30)
        return restarts.look("s")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(look, range(4))) == {b"queued"}
    assert queue.jobs == ["s"]
    assert len(caplog.records) == 1
    assert state(client, "fence") == "2"


@pytest.mark.usefixtures("reaper")
def test_a_stream_whose_job_the_queue_has_forgotten_is_ended_at_once(
    begin: Begin, queue: JobQueue, saved: list[streams.Recording]
) -> None:
    queue.forgotten = True
    begin()
    wait_until(lambda: saved, what="it to be saved")
    assert saved[0].end == streams.End(
        streams.Outcome.INTERRUPTED, "The worker that was writing this answer stopped unexpectedly."
    )


def test_a_stream_that_nobody_begins_again_in_time_is_ended(
    client: "redis.Redis", begin: Begin, restarts: streams.Restarts, saved: list[streams.Recording]
) -> None:
    begin()
    let_lease_run_out(client)
    assert restarts.look("s") == b"queued"
    let_lease_run_out(client)
    with closing(streams.Reaper(client, SHORT, saved.append, restarts)) as with_nobody:
        with_nobody.start()
        wait_until(lambda: saved, what="it to be saved")
    assert saved[0].end == streams.End(streams.Outcome.INTERRUPTED, "No worker began this answer in time.")


def test_a_writer_that_leaves_hands_its_stream_back_before_its_lease_is_over(
    client: "redis.Redis",
    begin: Begin,
    queue: JobQueue,
    restarts: streams.Restarts,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = begin()
    first.writer.note("The model is loading…")
    first.flush()
    assert restarts.hand_back(first.writer)
    assert restarts.hand_back(first.writer), "as when the first reply was lost"
    assert (queue.jobs, state(client, "again"), state(client, "epoch")) == (["s"], "queued", None)
    [told] = caplog.records
    assert told.message == "a worker left before the first chunk of its answer; the job is queued again"
    second = begin()
    assert not restarts.hand_back(first.writer), "it is not its own any more"
    assert not restarts.hand_back(second.writer), "once is enough"
    assert state(client, "epoch") == second.writer.epoch


def test_what_is_handed_back_with_some_of_its_answer_stays_where_it_is(
    client: "redis.Redis", begin: Begin, restarts: streams.Restarts
) -> None:
    producer = begin()
    producer.writer.append(streams.Kind.TEXT, "Once")
    producer.flush()
    assert not restarts.hand_back(producer.writer)
    assert state(client, "epoch") == producer.writer.epoch
