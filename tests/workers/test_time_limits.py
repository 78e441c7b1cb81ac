"""A real worker that is impatient in one respect: each limit is reached, and told in its own words.

One worker for each, for whom nothing else is urgent: how quick this machine is decides nothing but how long it takes.
"""

import pytest

from conversations import Status
from streams import Outcome
from tests.support.scripted_model import Json
from tests.workers.bench import Bench

pytestmark = pytest.mark.timeout(600)  # each test waits for its worker to start

PATIENT = {"FIRST_TOKEN_TIMEOUT": "300", "SILENCE_TIMEOUT": "300", "GENERATION_TIMEOUT": "300"}


@pytest.mark.parametrize(
    ("limit", "scripts", "text", "words"),
    [
        (
            {"FIRST_TOKEN_TIMEOUT": "3"},
            [
                {"hold": "never"},
                {"deltas": [{"delta": {"role": "assistant"}}, {"silence": True}]},
                {"deltas": [{"raw": ": busy\n\n" * 20_000}], "repeat": 10**9},  # no pause
            ],
            "",
            "did not begin to answer within 3 seconds",
        ),
        ({"SILENCE_TIMEOUT": "2"}, [{"deltas": ["So", {"silence": True}]}], "So", "fell silent for 2 seconds"),
        ({"GENERATION_TIMEOUT": "6"}, [{"deltas": ["So", {"silence": True}]}], "So", "took longer than 6 seconds"),
    ],
)
def test_a_model_that_is_too_slow_is_left(
    bench: Bench, limit: dict[str, str], scripts: list[Json], text: str, words: str
) -> None:
    with bench.worker(**PATIENT | limit):
        for script in scripts:
            stream_id = bench.send(script)
            recording = bench.wait_ended(stream_id)
            assert recording.end is not None
            assert recording.end.outcome is Outcome.FAILED
            assert words in (recording.end.reason or "")
            assert recording.text == text
            bench.wait_disconnected()
            assert bench.wait_saved(stream_id).status is Status.FAILED
