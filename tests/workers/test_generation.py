"""One generation in a real worker process: what the model does, and what becomes of it."""

import json
from collections.abc import Iterator

import pytest
from rq.job import JobStatus

from conversations import Status
from streams import Outcome
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import OWNER, Bench


@pytest.fixture(scope="module", autouse=True)
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    """Time limits short enough to wait for, and long beside what a loaded machine takes for a delta."""
    limits = {"FIRST_TOKEN_TIMEOUT": "1.5", "SILENCE_TIMEOUT": "1", "GENERATION_TIMEOUT": "3"}
    with bench.worker(**limits, CHECKPOINT_INTERVAL="0.2", MAX_ANSWER_BYTES="1000") as worker:
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
