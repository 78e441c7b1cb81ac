"""One generation in a real worker process: what the model does, and what becomes of it."""

import json
import time
from collections.abc import Iterator

import pytest
from rq.job import JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer

from conversations import Status
from streams import End, Kind, Outcome, keys
from tests.support.scripted_model import Json
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import OWNER, PATIENCE, Bench
from workers.continuing import INSTRUCTION

pytestmark = pytest.mark.timeout(300)  # the first test of a module also waits for the worker to start


@pytest.fixture(scope="module", autouse=True)
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    with bench.worker(CHECKPOINT_INTERVAL="0.2", MAX_ANSWER_BYTES="1000") as worker:
        yield worker


def test_an_answer_reaches_the_stream_and_the_database_whole(bench: Bench) -> None:
    deltas = [{"reasoning": "Hm."}, "Once", " upon", {"delta": {"reasoning": " Well."}}, " a time"]
    stream_id = bench.send({"deltas": deltas}, content="Tell me")
    recording = bench.wait_ended(stream_id)
    message = bench.wait_saved(stream_id)
    usage = {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
    assert recording.end is not None
    assert (recording.text, recording.reasoning) == ("Once upon a time", "Hm. Well.")
    assert (recording.end.outcome, recording.end.reason, recording.end.usage) == (Outcome.FINISHED, None, usage)
    assert (message.content, message.reasoning) == ("Once upon a time", "Hm. Well.")
    assert (message.status, message.reason, message.usage) == (Status.FINISHED, None, usage)
    bench.wait_job(stream_id, JobStatus.FINISHED)


def test_the_model_is_asked_once_with_the_conversation_above_the_answer(bench: Bench) -> None:
    before = len(bench.model.requests())
    stream_id = bench.send({"deltas": ["Hi"]}, content="Hello", model="the-model")
    bench.wait_saved(stream_id)
    [request] = bench.model.requests()[before:]
    assert request["body"]["model"] == "the-model"
    assert request["body"]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


@pytest.mark.parametrize(
    ("script", "outcome", "words"),
    [
        ({"deltas": ["x" * 999, "yy"]}, Outcome.FAILED, "this server's limit of 1,000 bytes"),
        ({"deltas": ["So", {"eof": True}]}, Outcome.FAILED, "cut before the answer was whole"),
        ({"deltas": ["So", {"cut": True}]}, Outcome.FAILED, "cut before the answer was whole"),
        ({"deltas": ["So", {"error": {"message": "GPU on fire"}}]}, Outcome.FAILED, "“GPU on fire”"),
        ({"deltas": ["So", {"raw": "data: {nonsense\n\n"}]}, Outcome.FAILED, "could not be read"),
        ({"deltas": ["So"], "finish_reason": "content_filter"}, Outcome.FAILED, "content filter"),
        ({"deltas": ["So"], "finish_reason": "length"}, Outcome.FINISHED, "reached the model's limit"),
        ({"status": 401, "error": {"message": "bad key sk-123"}}, Outcome.FAILED, "did not accept this server's key"),
        ({"status": 404, "error": {"message": "no"}}, Outcome.FAILED, "“scripted” is not known"),
    ],
)
def test_what_the_model_does_wrong_is_told_in_words(bench: Bench, script: Json, outcome: Outcome, words: str) -> None:
    """In the stream and in the database, with the text that there was."""
    stream_id = bench.send(script)
    end = bench.wait_ended(stream_id).end
    message = bench.wait_saved(stream_id)
    assert end is not None
    assert end.reason is not None
    assert (end.outcome, message.status) == (outcome, Status(outcome))
    assert words in end.reason
    assert message.reason == end.reason
    assert "sk-" not in end.reason
    recording = bench.recording(stream_id)
    assert recording is not None
    assert message.content == recording.text
    bench.wait_job(stream_id, JobStatus.FINISHED if outcome is Outcome.FINISHED else JobStatus.FAILED)


def test_an_answer_that_is_whole_stays_so_when_the_connection_never_ends(bench: Bench) -> None:
    finish = {"event": {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}}
    stream_id = bench.send({"deltas": ["All of it", finish, {"cut": True}]})
    recording = bench.wait_ended(stream_id)
    assert recording.end is not None
    assert (recording.text, recording.end.outcome) == ("All of it", Outcome.FINISHED)


STAGES: dict[str, Json] = {
    "before the model answered": {"hold": "never"},
    "before the first delta": {"deltas": [{"silence": True}]},
    "in a silence": {"deltas": ["So far", {"silence": True}]},
    "between deltas": {"deltas": ["."], "repeat": 1000, "pace": 0.01},
}


@pytest.mark.parametrize("stage", STAGES)
def test_stop_works_at_once_and_hangs_up_on_the_model(bench: Bench, stage: str) -> None:
    asked = len(bench.model.requests())
    stream_id = bench.send(STAGES[stage])
    wait_until(lambda: len(bench.model.requests()) > asked, PATIENCE, "the request to arrive")
    if "deltas" in STAGES[stage]:
        wait_until(lambda: bench.message(stream_id).status is Status.RUNNING, PATIENCE)
    began = time.monotonic()
    assert bench.control.ask_cancel(stream_id)
    recording = bench.wait_ended(stream_id)
    assert time.monotonic() - began < 30  # the time limits would end it after a minute or two
    assert recording.end is not None
    assert recording.end.outcome is Outcome.CANCELLED
    bench.wait_disconnected()
    message = bench.wait_saved(stream_id)
    assert (message.status, message.content) == (Status.CANCELLED, recording.text)
    bench.wait_job(stream_id, JobStatus.FINISHED)


def test_a_stream_that_was_stopped_in_the_queue_is_never_asked_for(bench: Bench) -> None:
    asked = len(bench.model.requests())
    with bench.suspended():
        stream_id = bench.send(content="Never mind")
        assert bench.control.ask_cancel(stream_id)
    bench.wait_job(stream_id, JobStatus.FINISHED)
    assert bench.wait_saved(stream_id).status is Status.CANCELLED
    assert len(bench.model.requests()) == asked


def test_a_fenced_writer_stops_and_saves_nothing(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["Mine", {"silence": True}]})
    bench.wait_for_text(stream_id, "Mine")
    with bench.taken_over(stream_id) as writer:
        bench.wait_disconnected()
        bench.wait_job(stream_id, JobStatus.FINISHED)
        assert bench.message(stream_id).status is Status.RUNNING
        writer.append(Kind.TEXT, "Yours")
        writer.end(End(Outcome.FINISHED))
        assert writer.wait_flushed(PATIENCE)
    recording = bench.wait_ended(stream_id)
    assert recording.text == "Yours"


def test_a_job_that_comes_a_second_time_while_the_first_runs_asks_nobody(bench: Bench) -> None:
    asked = len(bench.model.requests())
    stream_id = bench.send({"deltas": ["Only ", {"wait": "second job"}, "once"]})
    bench.wait_for_text(stream_id, "Only ")
    again = bench.enqueue("workers.jobs.generate", stream_id)  # as after a failover that lost the taking of the first
    bench.wait_job(again.id, JobStatus.FINISHED)
    assert bench.job(again.id).return_value() == "not ours"
    bench.model.release("second job")
    assert bench.wait_ended(stream_id).text == "Only once"
    assert bench.wait_saved(stream_id).status is Status.FINISHED
    assert len(bench.model.requests()) == asked + 1


def test_a_job_that_is_queued_again_after_its_stream_has_expired_asks_nobody(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["Long ago"]})
    before = bench.wait_saved(stream_id)
    bench.wait_job(stream_id, JobStatus.FINISHED)
    bench.redis.delete(keys.chunks(stream_id), keys.state(stream_id))
    asked = len(bench.model.requests())
    again = bench.enqueue("workers.jobs.generate", stream_id)
    bench.wait_job(again.id, JobStatus.FINISHED)
    assert len(bench.model.requests()) == asked
    assert bench.message(stream_id) == before


def test_a_whole_answer_whose_writer_was_fenced_at_its_end_is_saved_all_the_same(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["All of it", {"wait": "fence"}]})
    bench.wait_for_text(stream_id, "All of it")
    # A newer owner, of whom this writer hears with its last call only.
    bench.redis.hincrby(keys.state(stream_id), "fence", 1)
    bench.model.release("fence")
    message = bench.wait_saved(stream_id)
    assert (message.content, message.status) == ("All of it", Status.FINISHED)


def test_a_conversation_that_is_deleted_before_its_turn_costs_nothing(bench: Bench) -> None:
    asked = len(bench.model.requests())
    with bench.suspended():
        stream_id = bench.send(content="Soon gone")
        bench.store.delete(OWNER, bench.message(stream_id).conversation_id)
    end = bench.wait_ended(stream_id).end
    assert end is not None
    assert (end.outcome, end.reason) == (Outcome.CANCELLED, "The conversation was deleted.")
    assert len(bench.model.requests()) == asked


def test_unfinished_text_goes_to_the_database_now_and_then(bench: Bench) -> None:
    stream_id = bench.send({"deltas": ["So far", {"wait": "more"}, " so good"]})
    wait_until(lambda: bench.message(stream_id).content == "So far", PATIENCE, "a checkpoint")
    assert bench.message(stream_id).status is Status.RUNNING
    bench.model.release("more")
    assert bench.wait_saved(stream_id).content == "So far so good"


def test_who_watches_the_conversation_hears_of_its_beginning_and_its_end(bench: Bench) -> None:
    heard: list[int] = []
    stream_id = bench.send({"deltas": ["Hi", {"wait": "heard"}]})
    with bench.watching(bench.message(stream_id).conversation_id, heard.append):
        bench.model.release("heard")
        message = bench.wait_saved(stream_id)
        version = bench.store.conversation(OWNER, message.conversation_id).version
        wait_until(lambda: version in heard, PATIENCE, f"version {version}")


def test_what_one_generation_does_holds_up_no_other(bench: Bench) -> None:
    """Ten wait at once; released in another order than they began, each ends with its own text."""
    scripts = {n: {"deltas": [f"answer {n}", {"wait": f"gate {n}"}]} for n in range(10)}
    asked = {n: bench.send(content=json.dumps(script)) for n, script in scripts.items()}
    for n in reversed(asked):
        bench.wait_for_text(asked[n], f"answer {n}")
        bench.model.release(f"gate {n}")
        assert bench.wait_saved(asked[n]).content == f"answer {n}"


def test_a_character_cut_in_two_by_the_server_arrives_whole(bench: Bench) -> None:
    halves = [f'data: {{"choices":[{{"delta":{{"content":"{half}"}}}}]}}\n\n' for half in ("\\ud83d", "\\ude00")]
    stream_id = bench.send({"deltas": [{"raw": half} for half in halves]})
    assert bench.wait_saved(stream_id).content == "\N{GRINNING FACE}"


@pytest.mark.parametrize("how", ["instruction", "prefix"])
def test_an_answer_that_was_cut_off_is_gone_on_with_and_the_stream_holds_the_whole(bench: Bench, how: str) -> None:
    cut_off = bench.send({"deltas": [{"reasoning": "Hm. "}, "Once ", "upon ", {"cut": True}]}, content="Tell me")
    message = bench.wait_saved(cut_off)
    assert (message.status, message.content) == (Status.FAILED, "Once upon ")

    before = len(bench.model.requests())
    queue, stream_id = f"continuing-{how}", f"st_{how}"
    bench.model.script({"deltas": ["a ", "time."]})
    bench.store.continue_(OWNER, message.id, stream_id=stream_id, model="scripted")
    bench.control.announce(stream_id)
    with bench.worker(RQ_QUEUE=queue, CONTINUE_WITH=how):
        Queue(queue, connection=bench.redis, serializer=JSONSerializer).enqueue_call(
            "workers.jobs.generate", args=(stream_id,), job_id=stream_id
        )
        recording = bench.wait_ended(stream_id)
        whole = bench.wait_saved(stream_id)
    assert (recording.text, recording.reasoning) == ("Once upon a time.", "Hm. ")
    assert (whole.status, whole.content, whole.reasoning) == (Status.FINISHED, "Once upon a time.", "Hm. ")
    [request] = bench.model.requests()[before:]
    expected = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Tell me"},
        {"role": "assistant", "content": "Once upon "},
    ]
    if how == "instruction":
        expected.append({"role": "user", "content": INSTRUCTION})
    assert request["body"]["messages"] == expected
