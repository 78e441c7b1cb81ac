"""What a client holds follows the three rules of PROTOCOL.md, and notices whoever breaks them."""

import pytest

from tests.support.copy import Copy, Json, ProtocolBroken

FOLLOWING = {"type": "following", "epoch": "e", "index": 0, "state": "running"}


def chunks(start: int, stop: int, epoch: str = "e", **more: str) -> Json:
    return {"type": "chunks", "epoch": epoch, "start": start, "stop": stop, "text": "abcdefghij"[start:stop], **more}


def end(start: int) -> Json:
    return {"type": "end", "epoch": "e", "start": start, "stop": start + 1, "outcome": "finished"}


def copy_of(*frames: Json) -> Copy:
    copy = Copy()
    for frame in [FOLLOWING, *frames]:
        copy.take(frame)
    return copy


def test_frames_in_order_make_the_text() -> None:
    copy = copy_of(chunks(0, 3), chunks(3, 4), end(4))
    assert (copy.text, copy.position, copy.state) == ("abcd", "e:5", "ended")
    assert copy.end is not None


def test_a_frame_that_was_seen_before_changes_nothing_and_is_counted() -> None:
    copy = copy_of(chunks(0, 4), chunks(0, 4), chunks(2, 3))
    assert (copy.text, copy.position, copy.seen_before) == ("abcd", "e:4", 2)


def test_another_epoch_is_other_text() -> None:
    copy = copy_of(chunks(0, 4), {**FOLLOWING, "epoch": "f"}, chunks(0, 2, epoch="f"))
    assert (copy.text, copy.position, copy.epochs) == ("ab", "f:2", 2)


def test_a_note_counts_until_there_is_text() -> None:
    note = {"type": "chunks", "epoch": "e", "start": 0, "stop": 1, "note": "loading"}
    assert copy_of(note).note == "loading"
    assert copy_of(note, chunks(1, 2)).note == ""


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        ([chunks(1, 2)], "a gap"),
        ([chunks(0, 3), chunks(2, 5)], "a repetition"),
        ([chunks(0, 3), chunks(3, 5, epoch="f")], "another epoch, unannounced"),
        ([{**FOLLOWING, "index": 3}], "a gap"),
        ([end(0), end(0)], "after the end"),
        ([end(0), chunks(1, 2)], "after the end"),
        ([chunks(0, 3), end(2)], "a repetition"),
    ],
)
def test_what_the_protocol_does_not_allow_is_told_and_not_taken(frames: list[Json], complaint: str) -> None:
    *before, last = frames
    copy, expected = copy_of(*before), copy_of(*before)
    with pytest.raises(ProtocolBroken, match=complaint):
        copy.take(last)
    assert (copy.text, copy.next_index, copy.epoch) == (expected.text, expected.next_index, expected.epoch)
