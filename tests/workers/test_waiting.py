"""What is said before an answer begins, by arithmetic; and what of it reaches the stream."""

from collections.abc import Iterator

import pytest
from rq.utils import as_text

from streams import keys
from tests.support.scripted_model import Json
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import PATIENCE, Bench
from workers.waiting import AGAIN, SLOW, Waiting

pytestmark = pytest.mark.timeout(300)  # the first test of a module also waits for the worker to start

LOADING: Json = {"status": 503, "error": {"message": "Loading model"}}


@pytest.fixture(scope="module")
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    with bench.worker() as worker:
        yield worker


def test_a_model_that_begins_in_time_gets_no_word() -> None:
    said: list[str] = []
    waiting = Waiting(said.append)
    assert waiting.due is None
    waiting.asked(100.0)
    assert waiting.due == 103.0
    waiting.over()
    assert (waiting.due, said) == (None, [])


def test_one_that_does_not_is_waited_for_in_words_until_it_begins() -> None:
    said: list[str] = []
    waiting = Waiting(said.append)
    waiting.asked(100.0)
    waiting.late()
    assert waiting.due is None
    waiting.over()
    assert said == [SLOW, ""]


def test_a_refusal_is_told_and_the_next_request_has_its_own_patience() -> None:
    said: list[str] = []
    waiting = Waiting(said.append)
    waiting.asked(100.0)
    waiting.refused("Busy.", asked_again=110.0)
    waiting.refused("Busy.", asked_again=120.0)
    assert waiting.due == 123.0
    waiting.late()
    assert said == ["Busy.", SLOW]


def test_that_another_worker_was_to_ask_is_said_at_once_and_stays_until_there_is_text_or_a_refusal() -> None:
    said: list[str] = []
    waiting = Waiting(said.append)
    waiting.asked(100.0, again=True)
    assert (waiting.due, said) == (None, [AGAIN])
    waiting.over()
    assert said == [AGAIN], "nothing is taken back"
    waiting.refused("Busy.", asked_again=110.0)
    assert (waiting.due, said) == (113.0, [AGAIN, "Busy."])


def chunks(bench: Bench, stream_id: str) -> list[str]:
    return [str(as_text(entry)) for entry in bench.redis.lrange(keys.chunks(stream_id), 0, -1)]


def wait_for_note(bench: Bench, stream_id: str, note: str) -> None:
    what = f"the note {note!r}"
    wait_until(lambda: (found := bench.recording(stream_id)) and found.note == note, PATIENCE, what)


@pytest.mark.usefixtures("worker")
def test_a_fast_start_leaves_no_note_in_the_stream(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["Here I am."]})
    bench.wait_ended(stream_id)
    assert [chunk[0] for chunk in chunks(bench, stream_id)] == ["t", "e"]


@pytest.mark.usefixtures("worker")
def test_a_model_that_is_loading_is_waited_for_and_asked_no_more_than_needed(bench: Bench) -> None:
    asked = len(bench.model.requests())
    bench.model.script(LOADING, {"hold": "loaded", "deltas": [{"wait": "first"}, "Here I am."]})
    stream_id = bench.send()
    wait_for_note(bench, stream_id, "The model is loading…")
    wait_for_note(bench, stream_id, "Waiting for the model: it may be loading.")
    bench.model.release("loaded")
    wait_for_note(bench, stream_id, "")  # it has begun, and thinks
    bench.model.release("first")
    recording = bench.wait_ended(stream_id)
    assert (recording.text, recording.note) == ("Here I am.", None)
    notes = ["n:The model is loading…", "n:Waiting for the model: it may be loading.", "n:"]
    assert chunks(bench, stream_id)[:4] == [*notes, "t:Here I am."]
    assert len(bench.model.requests()) == asked + 2
    assert bench.wait_saved(stream_id).content == "Here I am."


@pytest.mark.usefixtures("worker")
def test_a_stop_while_the_model_is_waited_for_works_at_once(bench: Bench) -> None:
    stream_id = bench.send({"status": 429, "headers": {"Retry-After": "60"}})
    wait_until(lambda: (found := bench.recording(stream_id)) and found.note, PATIENCE, "a note")
    recording = bench.recording(stream_id)
    assert recording
    assert recording.note
    assert recording.note.startswith("The model is busy. Asking again in 6")
    assert bench.control.ask_cancel(stream_id)
    bench.wait_ended(stream_id, timeout=30)
