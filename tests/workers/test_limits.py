"""Deadlines and pauses, by arithmetic."""

import pytest

from streams import End, Outcome
from workers.backoff import Backoff, Retry
from workers.endings import finished, too_long
from workers.limits import CLOSING, TimeLimits, Watch

LIMITS = TimeLimits(first_token=10, silence=5, whole=100)


def test_before_the_first_delta_the_limit_is_that_of_the_first_token() -> None:
    deadline, end = Watch(LIMITS, begun=1000).deadline
    assert deadline == 1010
    assert end == End(Outcome.FAILED, "The model did not begin to answer within 10 seconds.")


def test_every_delta_moves_the_deadline_on() -> None:
    watch = Watch(LIMITS, begun=1000)
    watch.heard(1009)
    watch.heard(1012)
    deadline, end = watch.deadline
    assert deadline == 1017
    assert end == End(Outcome.FAILED, "The model fell silent for 5 seconds in its answer.")


def test_no_delta_moves_it_past_the_whole() -> None:
    watch = Watch(LIMITS, begun=1000)
    watch.heard(1098)
    assert watch.deadline == (1100, End(Outcome.FAILED, "The answer took longer than 100 seconds."))


def test_what_a_model_says_after_its_finish_cannot_make_the_answer_fail() -> None:
    watch = Watch(LIMITS, begun=1000)
    watch.finished(1002, finished("stop"))
    watch.heard(1003)
    assert watch.deadline == (1002 + CLOSING, End(Outcome.FINISHED))


def test_a_finished_answer_waits_a_moment_for_its_usage_and_is_finished_without() -> None:
    watch = Watch(LIMITS, begun=1000)
    watch.heard(1001)
    watch.finished(1002, finished("stop"))
    assert watch.deadline == (1002 + CLOSING, End(Outcome.FINISHED))


@pytest.mark.parametrize(("limit", "size"), [(8 * 2**20, "8 MiB"), (1000, "1,000 bytes")])
def test_the_limit_of_an_answer_is_named(limit: int, size: str) -> None:
    assert size in (too_long(limit).reason or "")


def test_pauses_double_up_to_a_bound_and_are_spread_by_chance() -> None:
    backoff = Backoff(first=1, longest=8, random=lambda: 0.5)
    assert [backoff.delay(attempt) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 4, 4]


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_trying_again_ends_with_the_first_success() -> None:
    clock, failures = Clock(), [OSError(), OSError()]
    retry = Retry(Backoff(first=1, random=lambda: 1.0), clock, clock.sleep)

    def work() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert retry("do it", work, error=OSError, patience=60) == "done"
    assert clock.now == 3


def test_trying_again_ends_with_the_last_failure_when_patience_does() -> None:
    clock, attempts = Clock(), []
    retry = Retry(Backoff(first=1, longest=1, random=lambda: 1.0), clock, clock.sleep)

    def work() -> None:
        attempts.append(clock.now)
        raise OSError(f"failure {len(attempts)}")

    with pytest.raises(OSError, match="failure 4"):
        retry("do it", work, error=OSError, patience=3)
    assert attempts == [0, 1, 2, 3]


def test_another_error_is_not_tried_again() -> None:
    clock, attempts = Clock(), []
    retry = Retry(Backoff(), clock, clock.sleep)

    def work() -> None:
        attempts.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        retry("do it", work, error=OSError, patience=60)
    assert attempts == [1]
