"""What is plotted, from samples that were written down."""

from telemetry.exposition import WAITING
from telemetry.history import Sample
from webapp.operations.history import HOUR, history, increase

NOW = 1_800_000_000.0  # the beginning of a minute


def sample(ago: float, ended: int, viewers: float = 0, **counted: int) -> Sample:
    return Sample(NOW - ago, {"viewers": viewers}, {"streams_ended.finished": ended, "deltas": ended * 10, **counted})


def test_what_ended_between_two_samples_is_in_the_minute_of_the_later_one() -> None:
    shown = history(HOUR, [sample(130, 1), sample(100, 3), sample(50, 3)], None, sample(0, 4))
    assert len(shown.ended["finished"]) == 60
    assert shown.ended["finished"][-3:] == [2, 0, 1]
    assert sum(shown.ended["finished"]) == 3, "what was before the first sample is of another time"
    assert shown.ended["failed"] == [0] * 60


def test_a_rate_is_what_was_counted_by_the_time_between_and_unknown_where_nobody_took_note() -> None:
    shown = history(HOUR, [sample(130, 1), sample(100, 4)], None, sample(0, 4))
    assert shown.deltas[-3:] == [1.0, None, 0.0]


def test_of_what_is_held_the_most_of_a_minute_is_shown() -> None:
    shown = history(HOUR, [sample(50, 0, 2), sample(40, 0, 9), sample(30, 0, 4)], None, sample(0, 0, 1))
    assert shown.viewers[-2:] == [9, 1]
    assert shown.viewers[0] is None


def test_samples_from_before_the_span_are_not_in_it() -> None:
    shown = history(HOUR, [sample(8000, 1, 99), sample(7000, 5, 99)], None, sample(0, 6, 1))
    assert sum(shown.ended["finished"]) == 1
    assert 99 not in shown.viewers


def test_totals_that_redis_has_lost_begin_anew() -> None:
    assert increase({"a": 5, "b": 2}, {"a": 3, "b": 2, "c": 1}) == {"a": 3, "b": 0, "c": 1}
    shown = history(HOUR, [sample(60, 100)], None, sample(0, 3))
    assert shown.ended["finished"][-1] == 3


def test_what_was_counted_is_told_since_the_beginning_or_since_somebody_counts() -> None:
    base = sample(1800, 5, resumes=2)
    shown = history(HOUR, [], base, sample(0, 9, resumes=7, gaps=1))
    assert shown.counted == {"deltas": 40, "gaps": 1, "resumes": 5, "streams_ended.finished": 4}
    assert shown.counting_since.timestamp() == NOW - 1800
    assert history(HOUR, [], None, sample(0, 9)).counting_since.timestamp() == NOW - 3600


def test_waits_are_told_by_how_long_they_were() -> None:
    counts = {f"queue_wait.{float(bound)}": 7 if bound >= 1 else 2 for bound in WAITING} | {"queue_wait.+Inf": 8}
    shown = history(HOUR, [], None, sample(0, 0, **counts))
    assert dict(zip(shown.waits.bounds, shown.waits.queue, strict=False)) == {
        bound: {0.01: 2, 1: 5}.get(bound, 0) for bound in map(float, WAITING)
    }
    assert shown.waits.queue[-1] == 1
    assert sum(shown.waits.first_token) == 0
    assert not any(name.startswith("queue_wait") for name in shown.counted)
