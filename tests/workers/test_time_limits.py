"""A real worker that is impatient: every limit is reached, and each is told in its own words."""

from collections.abc import Iterator

import pytest

from conversations import Status
from streams import Outcome
from tests.support.scripted_model import Json
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import Bench

pytestmark = pytest.mark.timeout(300)  # the first test of a module also waits for the worker to start


@pytest.fixture(scope="module", autouse=True)
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    limits = {"FIRST_TOKEN_TIMEOUT": "3", "SILENCE_TIMEOUT": "2", "GENERATION_TIMEOUT": "6"}
    with bench.worker(**limits) as worker:
        yield worker


@pytest.mark.parametrize(
    ("script", "text", "words"),
    [
        ({"hold": "never"}, "", "did not begin to answer within 3 seconds"),
        ({"deltas": [{"delta": {"role": "assistant"}}, {"silence": True}]}, "", "did not begin to answer"),
        (
            {"deltas": [{"raw": ": busy\n\n" * 20_000}], "repeat": 10**9},
            "",
            "did not begin to answer",
        ),  # no pause
        ({"deltas": ["So", {"silence": True}]}, "So", "fell silent for 2 seconds"),
        ({"deltas": ["."] * 5 + [{"wait": "never"}], "pace": 1.0}, ".....", "took longer than 6 seconds"),
    ],
)
def test_a_model_that_is_too_slow_is_left(bench: Bench, script: Json, text: str, words: str) -> None:
    stream_id = bench.send(script)
    recording = bench.wait_ended(stream_id, timeout=120)
    assert recording.end is not None
    assert recording.end.outcome is Outcome.FAILED
    assert words in (recording.end.reason or "")
    assert recording.text == text
    bench.wait_disconnected()
    assert bench.wait_saved(stream_id).status is Status.FAILED
