import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.text import (
    NAME_LIMIT,
    SHORT_TITLE_LIMIT,
    TITLE_LIMIT,
    clean_name,
    clean_title,
    provisional_title,
    storable,
)

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates and NUL included


@given(ANY_TEXT)
def test_storable_text_has_utf8_and_no_nul_and_keeps_every_other_character(text: str) -> None:
    stored = storable(text)
    stored.encode()
    assert len(stored) == len(text)
    assert all(a == b or b == "\ufffd" for a, b in zip(text, stored, strict=True))
    assert "\0" not in stored


@given(ANY_TEXT)
def test_a_title_is_one_line_of_limited_length(title: str) -> None:
    cleaned = clean_title(title)
    assert len(cleaned) <= TITLE_LIMIT
    assert cleaned == " ".join(cleaned.split())
    assert cleaned == clean_title(cleaned)


def test_control_characters_in_a_title_part_words_as_spaces_do() -> None:
    assert clean_title(" What\x00is\tthis?\r\n\x1b[31m ") == "What is this? [31m"


def test_an_emoji_of_several_code_points_stays_whole() -> None:
    assert clean_title("👩‍🚀 in orbit") == "👩‍🚀 in orbit"


@pytest.mark.parametrize("title", ["הוראות\u200f 1", "می\u200cخواهم", "क्\u200dष", "❤\ufe0f", "e\u0301\u0323", "1 + 1"])
def test_what_languages_and_emoji_need_stays(title: str) -> None:
    assert clean_title(title) == title


def test_a_title_turns_nothing_around_it_hides_nothing_and_reaches_into_no_other_line() -> None:
    assert clean_title("invoice\u202egpj.exe\u2066\u2069") == "invoicegpj.exe"
    assert clean_title("pay\u200bpal\ufeff\u00ad\u2060") == "paypal"
    assert clean_title("Z" + "\u0335\u0489" * 50 + "a") == "Z\u0335\u0489\u0335\u0489a"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u3164", "\u2800 \u2800", "\u200d\u200d", "\ufe0f", "\u0301", "\u00a0\u2003", "\U000e0041"]
)
def test_of_what_cannot_be_seen_there_is_no_title_and_no_name(unseen: str) -> None:
    assert clean_title(unseen) == ""
    assert clean_name(unseen) == ""


@given(ANY_TEXT)
def test_a_name_is_one_line_of_limited_length(name: str) -> None:
    cleaned = clean_name(name)
    assert len(cleaned) <= NAME_LIMIT
    assert cleaned == clean_name(cleaned)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("   \n ", ""),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("word " * 20, "word " * 11 + "word…"),
        (
            "Once upon a time there was a princess, who lived in a castle,",
            "Once upon a time there was a princess, who lived in a…",
        ),
    ],
)
def test_a_provisional_title_is_cut_at_a_word(question: str, title: str) -> None:
    assert provisional_title(question) == title


@given(ANY_TEXT)
def test_a_provisional_title_fits_its_line(question: str) -> None:
    assert len(provisional_title(question)) <= SHORT_TITLE_LIMIT
