"""Between taking a job and asking the model: what a sender can do at the worst moment."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversations import Prompt, Store
from conversations.database import Database
from conversations.store import here
from streams import Kind, Outcome, Restarts, StreamSettings, StreamWriters
from tests.workers.bench import OWNER, Bench, running_bench
from workers.backoff import Backoff, Retry
from workers.generation import Generation, Tools
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


class HastyStore(Store):
    """The database, in which the sender takes the question back as soon as the worker has read it."""

    def prompt(self, stream_id: str) -> Prompt:
        prompt = super().prompt(stream_id)
        self.withdraw(stream_id)
        return prompt


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running_bench(tmp_path) as bench:
        yield bench


def test_no_model_is_asked_for_an_answer_that_was_withdrawn_at_the_last_moment(bench: Bench) -> None:
    """Withdrawn it is where the queue took the job, and could not say so: the sender sends it again."""
    model = Model()
    settings = StreamSettings()
    writers = StreamWriters(bench.redis, settings)
    writers.start()
    database = Database(bench.database_url, 5)
    with closing(HastyStore(database, here, here, lambda: datetime.now(UTC))) as store:
        tools = Tools(
            store=store,
            saver=Saver(store, bench.redis),
            writers=writers,
            control=bench.control,
            restarts=Restarts(bench.redis, settings, lambda _: False),
            source=model,
            retry=Retry(Backoff(), time.monotonic, time.sleep),
            clock=time.monotonic,
            limits=TimeLimits(60, 60, 60),
            checkpoint_interval=60,
            save_patience=60,
        )
        conversation = store.create_conversation(OWNER).id
        store.send(OWNER, conversation, "Hello", stream_id="st_1", model="m")
        end = Generation("st_1", tools).run()
        messages = store.conversation(OWNER, conversation).messages
    writers.close()
    assert end is not None
    if model.asked:
        assert [message.content for message in messages] == ["Hello", "Here."]
    else:
        assert (end.outcome, messages) == (Outcome.CANCELLED, ())
