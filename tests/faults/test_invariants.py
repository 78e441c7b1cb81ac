"""The judge of the fault suite can say no: to every kind of damage, and to nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.invariants import Expected, Saved, Seen, judge, judge_entries, judge_keys
from faults.logs import Logs
from faults.soak import Sample, growth
from faults.words import Damage, beginning, damage, text_of
from streams.chunk import End, Kind, Outcome, encode_end, encode_text

WHOLE = text_of(10)
ONE_WHOLE, KEPT = Expected(), Saved(WHOLE, "finished")
CANCELLED = Expected(outcomes=frozenset({"cancelled"}), whole=False)
INTERRUPTED = Expected(outcomes=frozenset({"interrupted"}), whole=False)


def told(text: str = WHOLE, outcome: str | None = "finished", **more: tuple[str, ...]) -> Seen:
    return Seen("somebody", text, outcome, **more)


def verdict_on(*viewers: Seen, saved: Saved = KEPT, expected: Expected = ONE_WHOLE, requests: int = 1) -> list[str]:
    return judge("it", 10, expected, requests, viewers, [saved]).complaints


def test_a_whole_answer_is_right() -> None:
    verdict = judge("it", 10, Expected(), 1, [told(), told()], [Saved(WHOLE, "finished")])
    assert verdict.complaints == []
    assert (verdict.words, verdict.damage, verdict.wrong_endings) == (30, Damage(), 0)


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        (WHOLE, Damage()),
        ("", Damage(lost=10)),
        (text_of(9), Damage(lost=1)),
        (text_of(4) + text_of(5, 5), Damage(lost=1)),
        (text_of(5) + text_of(6, 4), Damage(repeated=1)),
        (text_of(4) + text_of(1, 5) + text_of(1, 4) + text_of(4, 6), Damage(reordered=1)),
        (text_of(10) + "?", Damage(garbled=1)),
        (text_of(9) + "é9😀", Damage(lost=1, garbled=3)),
        (text_of(11), Damage(garbled=1)),
    ],
)
def test_what_is_wrong_with_a_text_is_counted(text: str, harm: Damage) -> None:
    assert damage(text, 10) == harm


@given(st.integers(1, 30), st.data())
def test_every_change_of_a_text_is_damage(words: int, data: st.DataObject) -> None:
    text = text_of(words)
    start = data.draw(st.integers(0, len(text) - 1))
    stop = data.draw(st.integers(start + 1, len(text)))
    for changed in (text[:start] + text[stop:], text[:stop] + text[start:]):
        assert changed == text or damage(changed, words)
    assert beginning(text) == words


@pytest.mark.parametrize(
    ("viewer", "complaint"),
    [
        (told(text_of(9)), "damaged"),
        (told(outcome=None), "was told that it is None"),
        (told(outcome="failed"), "was told that it is failed"),
        (told(broken=("a gap",)), "a gap"),
        (told(forgotten=(text_of(11),)), "had 11 words, of which 10 were kept"),
    ],
)
def test_what_a_viewer_must_not_have_is_told(viewer: Seen, complaint: str) -> None:
    [line] = verdict_on(told(), viewer)
    assert complaint in line


def test_of_a_part_everybody_has_the_same_and_no_less_than_anybody_had() -> None:
    part = Saved(text_of(5), "interrupted")
    right = told(text_of(5), "interrupted", forgotten=(text_of(5), text_of(3)))
    assert verdict_on(right, saved=part, expected=INTERRUPTED) == []
    assert (
        "has 4 words, the database 5"
        in verdict_on(told(text_of(4), "interrupted"), saved=part, expected=INTERRUPTED)[0]
    )
    lost = told(text_of(5), "interrupted", forgotten=(text_of(6),))
    assert "had 6 words, of which 5 were kept" in verdict_on(lost, saved=part, expected=INTERRUPTED)[0]
    assert verdict_on(lost, saved=part, expected=replace(INTERRUPTED, forgets=True)) == []


def test_what_is_finished_is_whole_even_where_a_part_would_do() -> None:
    either = Expected(outcomes=frozenset({"finished", "interrupted"}), whole=False)
    short = Saved(text_of(3), "finished")
    assert "damaged" in verdict_on(told(text_of(3)), saved=short, expected=either)[0]
    more = Saved(text_of(11), "interrupted")
    assert "damaged" in verdict_on(told(text_of(11), "interrupted"), saved=more, expected=either)[0]


def test_everybody_is_told_the_same_end() -> None:
    either = Expected(outcomes=frozenset({"finished", "cancelled"}))
    [line] = verdict_on(told(outcome="cancelled"), expected=either)
    assert "was told cancelled, the database says finished" in line


def test_a_model_is_asked_once() -> None:
    assert "asked 2 times, not 1" in verdict_on(told(), requests=2)[0]
    assert "asked 0 times, not 1" in verdict_on(told(), requests=0)[0]
    assert verdict_on(told(), requests=2, expected=Expected(requests=range(2, 3))) == []


def test_an_answer_is_saved_once_and_as_it_ended() -> None:
    assert "has 0 answers" in judge("it", 0, Expected(), 1, [told("")], []).complaints[0]
    twice = [Saved(WHOLE, "finished")] * 2
    assert "has 2 answers" in judge("it", 10, Expected(), 1, [told()], twice).complaints[0]
    assert "in the database it is finished, not cancelled" in verdict_on(expected=CANCELLED)[0]


def test_what_redis_has_is_what_was_saved_and_has_one_end_at_its_end() -> None:
    text, end = encode_text(Kind.TEXT, WHOLE), encode_end(End(Outcome.FINISHED))

    def told(*entries: bytes, saved: Saved = KEPT) -> list[str]:
        return judge_entries("it", list(entries), [saved])

    assert told() == told(text, end) == []
    assert "of 1 entries, [] are ends" in told(text)[0]
    assert "of 3 entries, [1, 2] are ends" in told(text, end, end)[0]
    assert "Redis has 10 words, the database 5" in told(text, end, saved=Saved(text_of(5), "finished"))[0]
    assert (
        "in Redis it is finished, in the database interrupted" in told(text, end, saved=Saved(WHOLE, "interrupted"))[0]
    )


def test_logs_tell_each_traceback_once_and_what_is_new_since_a_moment(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    log = logs.new("web")
    assert logs.lines("x") == []
    log.write_text("x 1\nbroke st_1\n")
    before = logs.mark()
    with log.open("a") as file:
        file.write("  Traceback (most recent call last):\n  x\nbroke st_2\nTraceback …\nx 2\nx hal")
    assert logs.lines("x") == ["x 1", "  x", "x 2"]
    assert logs.lines("x", since=before) == ["  x", "x 2"]
    assert logs.tracebacks({"st_2"}) == ["web-0.log: broke st_1"]
    with log.open("a") as file:
        file.write("f\nTraceback …\n")
    assert logs.tracebacks(set()) == ["web-0.log: x half"]
    assert logs.tracebacks(set()) == []


def test_a_key_that_never_goes_away_is_told_but_for_books_that_are_kept_for_ever() -> None:
    assert judge_keys(["rq:workers", "rq:wip:generations", "rejoinder:{unsettled}", "rq:job:st_1"], ["st_1"]) == []
    for key in ("rejoinder:{st_1}:chunks", "rejoinder:{unsettled}:looked", "rq:job:st_1", "rq:worker:1"):
        assert judge_keys([key], ["st_2"]) == [f"the key {key} never expires"]


def test_what_grows_from_round_to_round_is_told_and_what_comes_and_goes_is_not() -> None:
    flat = [Sample(90 + number % 2, 100, 5, 20, 20, number % 3) for number in range(10)]
    assert growth(flat) == []
    assert growth(flat[:3]) == []
    leaks = [replace(sample, web_mb=90 + 5 * number, keys=40 * number) for number, sample in enumerate(flat)]
    assert [line.split(" grow")[0] for line in growth(leaks)] == ["web mb", "keys"]
