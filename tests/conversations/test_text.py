import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.text import SHORT_TITLE_LIMIT, TITLE_LIMIT, clean_title, provisional_title, storable

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
