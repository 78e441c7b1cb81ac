"""Between taking a job and asking the model: what a sender can do at the worst moment."""

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversations import Beginning, Store
from conversations.database import Database
from conversations.store import here
from streams import End, Kind, Outcome, Restarts, StreamSettings, StreamWriters, connect, keys
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.waiting import wait_until
from tests.workers.bench import OWNER, PATIENCE, Bench, running_bench
from workers.backoff import Backoff, Retry
from workers.checkpoints import Checkpoints
from workers.generation import FLUSH_FIRST, Generation, Tools
from workers.limits import TimeLimits
from workers.providers.source import Begun, Delta, Event, Finish, Message
from workers.saving import Saver


class Model:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def stream(self, model: str | None, messages: Sequence[Message]) -> Generator[Event]:  # noqa: ARG002
        self.asked += 1
        yield Begun()
        yield Delta(Kind.TEXT, "Here.")
        yield Finish("stop")

    def models(self) -> list[str]:
        return []


class CutOff(Model):
    """While this one is asked, its worker loses its way to Redis."""

    def __init__(self, line: FaultProxy) -> None:
        super().__init__()
        self._line = line

    def stream(self, model: str | None, messages: Sequence[Message]) -> Generator[Event]:
        self._line.block()
        yield from super().stream(model, messages)


class HastyStore(Store):
    """The database, in which the sender takes the question back as soon as the worker has read it."""

    def begin(self, stream_id: str) -> Beginning:
        begun = super().begin(stream_id)
        self.withdraw(stream_id)
        return begun


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running_bench(tmp_path) as bench:
        yield bench


def tools_of(store: Store, model: Model, writers: StreamWriters, bench: Bench) -> Tools:
    return Tools(
        store=store,
        saver=Saver(store, bench.redis),
        writers=writers,
        control=bench.control,
        restarts=Restarts(bench.redis, StreamSettings(), lambda _: False),
        source=model,
        retry=Retry(Backoff(), time.monotonic, time.sleep),
        clock=time.monotonic,
        limits=TimeLimits(60, 60, 60),
        checkpoints=Checkpoints(store, 60),
        save_patience=60,
    )


def test_a_worker_that_loses_redis_before_a_word_is_seen_saves_nothing_over_whoever_is_given_the_answer(
    bench: Bench, tmp_path: Path
) -> None:
    settings = StreamSettings()
    conversation = bench.store.create_conversation(OWNER).id
    bench.store.send(OWNER, conversation, "Hello", stream_id="st_1", model="m")
    with (
        fault_proxy(tmp_path / "line.sock", bench.redis_server.socket) as line,
        connect(line.url, reply_timeout=0.5) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        writers = StreamWriters(client, settings)
        writers.start()
        model = CutOff(line)
        running = pool.submit(Generation("st_1", tools_of(bench.store, model, writers, bench)).run)
        wait_until(lambda: model.asked, PATIENCE, "the model to be asked")
        bench.redis.hset(keys.state("st_1"), "lease", 1)
        assert Restarts(bench.redis, settings, lambda _: True).look("st_1") == b"queued"
        # Past this time the first worker would rather save than wait for Redis.
        late = time.monotonic() + FLUSH_FIRST + 0.5
        wait_until(lambda: time.monotonic() > late or running.done())
        with bench.taken_over("st_1") as other:
            other.append(Kind.TEXT, "There.")
            other.end(End(Outcome.FINISHED))
            assert other.wait_flushed(PATIENCE)
            line.mend()
            assert running.result(PATIENCE) is None
        bench.store.save_answer("st_1", text="There.", reasoning="", outcome="finished", reason=None, usage=None)
        writers.close()
    assert [message.content for message in bench.store.conversation(OWNER, conversation).messages] == [
        "Hello",
        "There.",
    ]


def test_no_model_is_asked_for_an_answer_that_was_withdrawn_at_the_last_moment(bench: Bench) -> None:
    """Withdrawn it is where the queue took the job, and could not say so: the sender sends it again."""
    model = Model()
    writers = StreamWriters(bench.redis, StreamSettings())
    writers.start()
    database = Database(bench.database_url, 5)
    with closing(HastyStore(database, here, here, lambda: datetime.now(UTC))) as store:
        conversation = store.create_conversation(OWNER).id
        store.send(OWNER, conversation, "Hello", stream_id="st_1", model="m")
        end = Generation("st_1", tools_of(store, model, writers, bench)).run()
        messages = store.conversation(OWNER, conversation).messages
    writers.close()
    assert end is not None
    if model.asked:
        assert [message.content for message in messages] == ["Hello", "Here."]
    else:
        assert (end.outcome, messages) == (Outcome.CANCELLED, ())
