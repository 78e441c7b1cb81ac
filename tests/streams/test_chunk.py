"""The encoding: what is written is what is read, to the character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.chunk import (
    End,
    Kind,
    Notification,
    Outcome,
    Position,
    decode_end,
    decode_notification,
    encode_end,
    encode_note,
    encode_text,
    join,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
usages = st.none() | st.dictionaries(st.text(max_size=10), st.integers(0, 10**9), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(Kind), texts)))
def test_joined_entries_hold_the_text_and_the_reasoning_apart(parts: list[tuple[Kind, str]]) -> None:
    joined = join([encode_text(kind, text) for kind, text in parts])
    assert joined.text == "".join(text for kind, text in parts if kind is Kind.TEXT)
    assert joined.reasoning == "".join(text for kind, text in parts if kind is Kind.REASONING)
    assert joined.end is None


LOADING, TAKEN_BACK = encode_note("The model is loading…"), encode_note("")
TEXT, REASONING = encode_text(Kind.TEXT, "Once"), encode_text(Kind.REASONING, "Hm.")
END = encode_end(End(Outcome.FINISHED))


@pytest.mark.parametrize(
    ("entries", "note"),
    [
        ([], None),
        ([TEXT], None),
        ([LOADING], "The model is loading…"),
        ([encode_note("Busy."), LOADING], "The model is loading…"),
        ([LOADING, TAKEN_BACK], ""),
        ([LOADING, TEXT], None),
        ([LOADING, REASONING], None),
        ([TEXT, LOADING], "The model is loading…"),
        ([LOADING, END], None),
    ],
)
def test_the_last_note_counts_until_there_is_text_and_is_no_part_of_it(entries: list[bytes], note: str | None) -> None:
    joined = join(entries)
    assert joined.note == note
    assert joined.text == ("Once" if TEXT in entries else "")
    assert joined.reasoning == ("Hm." if REASONING in entries else "")


def test_a_note_is_short() -> None:
    assert join([encode_note("x" * 10_000)]).note == "x" * 200


def test_an_entry_of_a_kind_that_a_newer_version_knows_is_passed_over() -> None:
    joined = join([TEXT, b"z:what is this", TEXT, END])
    assert (joined.text, joined.reasoning, joined.note) == ("OnceOnce", "", None)


@given(st.builds(End, st.sampled_from(Outcome), st.none() | texts, usages))
def test_an_end_is_read_as_it_was_written(end: End) -> None:
    assert decode_end(encode_end(end)) == end


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 100_000,
        '{"outcome": "vanished", "reason": null, "usage": null}',
        '{"outcome": "finished", "reason": 5, "usage": null}',
        '{"outcome": "finished", "reason": "\\ud800", "usage": null}',
        '{"outcome": "finished", "reason": null, "usage": [7]}',
        '{"outcome": "finished", "reason": null, "usage": {"cost": NaN}}',
        '{"outcome": "finished", "reason": null, "usage": {"tokens": "many"}}',
        '{"outcome": "finished", "reason": null, "usage": {"\\ud800": 1}}',
        '{"outcome": "finished", "reason": null, "usage": {"tokens": ' + "9" * 4000 + "}}",
    ],
)
def test_an_end_that_could_not_be_told_to_anyone_says_that_it_cannot_be_read(fields: str) -> None:
    end = decode_end(b"e:" + fields.encode())
    assert end.outcome is Outcome.FAILED
    assert "could not be read" in str(end.reason)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"3f9 0 1\nt:a",
        b"3f9 0 1 x\nt:a",
        b"3f9 -1 0 3\nt:a",
        b"3f9 0 1 9\nt:a",
        b"3f9 0 1 2\nt:a",
        b"3f9 0 1 1,2\nt:a",
        b"3f9 0 2 3\nt:a",
        b"3f9 0 2 5,-2\nt:a",
        b"3f9 5 4 \n",
        b"\xff 0 1 3\nt:a",
        b"3f9 0 " + b"9" * 5000 + b" 3\nt:a",
    ],
)
def test_what_is_no_notification_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its reader asks for no more
        decode_notification(payload)


def test_half_a_surrogate_pair_becomes_a_replacement_and_never_an_error() -> None:
    assert join([encode_text(Kind.TEXT, "a\ud83db")]).text == "a\ufffdb"


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.integers(0, 10**6))
def test_a_notification_gives_back_its_entries_whatever_bytes_they_hold(entries: list[bytes], start: int) -> None:
    sizes = ",".join(str(len(entry)) for entry in entries)
    payload = f"3f9a {start} {start + len(entries)} {sizes}\n".encode() + b"".join(entries)
    assert decode_notification(payload) == Notification("3f9a", start, start + len(entries), entries)


def test_a_notification_without_entries_says_only_where_they_are() -> None:
    assert decode_notification(b"3f9a 7 9 \n") == Notification("3f9a", 7, 9, None)


@given(st.from_regex(r"[0-9a-z]{1,16}", fullmatch=True), st.integers(0, 10**9))
def test_a_position_is_read_as_it_was_written(epoch: str, index: int) -> None:
    assert Position.parse(str(Position(epoch, index))) == Position(epoch, index)


@pytest.mark.parametrize(
    "wrong",
    ["", "abc", ":1", "abc:", "abc:-1", "abc:1.5", "a b:1", "abc:１", "é:1", "a" * 70 + ":1", "abc:" + "9" * 16],
)
def test_what_is_no_position_is_refused_with_one_that_would_be_right(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"expected epoch:index, for example \w+:42"):
        Position.parse(wrong)
