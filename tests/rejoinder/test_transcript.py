"""What is held of a stream, frame by frame, and what of it is printed; all without a connection."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.paper import Paper, Printing
from rejoinder.transcript import OutOfStep, Transcript
from streams import End, Outcome, Position
from streams.chunk import decode_end, join

Json = dict[str, Any]


def following(epoch: str | None, index: int = 0) -> Json:
    return {"type": "following", "epoch": epoch, "index": index, "state": "running"}


def chunks(start: int, stop: int, text: str, epoch: str = "e1", **others: str) -> Json:
    return {"type": "chunks", "epoch": epoch, "start": start, "stop": stop, "text": text, **others}


def end(start: int, outcome: str = "finished", epoch: str = "e1") -> Json:
    return {"type": "end", "epoch": epoch, "start": start, "stop": start + 1, "outcome": outcome}


@pytest.fixture
def transcript() -> Transcript:
    begun = Transcript()
    assert begun.begin(following("e1"))
    return begun


def test_a_frame_becomes_as_many_entries_as_it_says(transcript: Transcript) -> None:
    entries = transcript.take(chunks(0, 40, "Once upon", reasoning="Hm.", note="Wait."))
    assert len(entries) == 40
    assert join(entries) == ("Once upon", "Hm.", "Wait.", None)
    assert transcript.position == Position("e1", 40)


def test_what_was_seen_before_brings_nothing(transcript: Transcript) -> None:
    transcript.take(chunks(0, 2, "Once"))
    assert transcript.take(chunks(0, 2, "Once")) == []
    assert transcript.take(chunks(1, 2, "ce")) == []


def test_the_end_is_the_last(transcript: Transcript) -> None:
    [entry] = transcript.take(end(0, "failed"))
    assert decode_end(entry) == End(Outcome.FAILED)
    assert transcript.ended
    assert transcript.take(end(0, "failed")) == []
    with pytest.raises(OutOfStep):
        transcript.take(chunks(1, 2, "more"))


@pytest.mark.parametrize(
    "frame",
    [
        chunks(3, 4, "a gap"),
        chunks(1, 3, "partly known"),
        chunks(2, 3, "other text", epoch="e2"),
        chunks(2, 2, "nothing"),
        chunks(2, 3, "too much", reasoning="for one", note="entry"),
        chunks(2, 10**9, "too many"),
        {**chunks(2, 3, "x"), "start": "2"},
        {**chunks(2, 3, "x"), "stop": True},
        {"type": "end"},
    ],
)
def test_what_does_not_fit_is_out_of_step_and_changes_nothing(transcript: Transcript, frame: Json) -> None:
    transcript.take(chunks(0, 2, "Once"))
    with pytest.raises(OutOfStep):
        transcript.take(frame)
    assert transcript.position == Position("e1", 2)


def test_another_epoch_is_other_text_from_0(transcript: Transcript) -> None:
    transcript.take(chunks(0, 2, "Once"))
    assert not transcript.begin(following("e1", 2))
    assert transcript.begin(following(None))
    assert transcript.position is None
    assert transcript.begin(following("e2"))
    assert transcript.position == Position("e2", 0)


@pytest.mark.parametrize(
    "frame", [following("e1", 1), following("e1", 3), following("no epoch!"), {"type": "following"}]
)
def test_a_stream_that_is_not_served_from_where_we_stand_is_out_of_step(transcript: Transcript, frame: Json) -> None:
    transcript.take(chunks(0, 2, "Once"))
    with pytest.raises(OutOfStep):
        transcript.begin(frame)


@given(st.lists(st.text(max_size=5)), st.lists(st.integers(0, 6), max_size=6))
def test_a_text_that_is_told_again_and_again_is_printed_once(pieces: list[str], cuts: list[int]) -> None:
    paper, printed, whole = Paper(), "", "".join(pieces)
    for cut in cuts:
        for piece in pieces[:cut]:
            printed += paper.take(piece).text
        paper.again()
    for piece in pieces:
        printing = paper.take(piece)
        assert not printing.anew
        printed += printing.text
    assert printed == whole
    assert paper.left_over == 0


def test_another_text_is_printed_anew_from_its_beginning() -> None:
    paper = Paper()
    paper.take("Once upon a time")
    paper.again()
    assert paper.take("Once") == Printing("")
    assert paper.take(" more") == Printing("Once more", anew=True)
    assert paper.take(" again") == Printing(" again")
    paper.again()
    assert paper.take("Once more again and") == Printing(" and")


def test_what_was_printed_and_is_not_told_again_is_counted() -> None:
    paper = Paper()
    paper.take("Once upon")
    paper.again()
    paper.take("Once")
    assert paper.left_over == 5
