"""Text from outside, made fit to keep and to show."""

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL; lone surrogates have no UTF-8

TITLE_LIMIT = 200  # characters; far more than any list shows
NAME_LIMIT = 40  # characters
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # Unicode's marks of direction
SHORT_TITLE_LIMIT = 60  # characters, the ellipsis included: one line of the list


def storable(text: str) -> str:
    """The text as every database takes it: what none can hold becomes U+FFFD."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def clean_title(title: str) -> str:
    """One line without control characters, cut to TITLE_LIMIT."""
    printable = "".join(" " if unicodedata.category(character) == "Cc" else character for character in title)
    return " ".join(printable.split())[:TITLE_LIMIT].strip()


def clean_name(name: str) -> str:
    """The name that a visitor gives: as a title, but shorter, and without marks that turn the text around it."""
    return clean_title(TURNING.sub("", name))[:NAME_LIMIT].strip()


def provisional_title(question: str) -> str:
    """The first words of a question, to stand in the list until there is a better title."""
    return short_title(question)


def short_title(text: str) -> str:
    """One line, cut at a word to SHORT_TITLE_LIMIT."""
    title = clean_title(text)
    if len(title) <= SHORT_TITLE_LIMIT:
        return title
    room = title[:SHORT_TITLE_LIMIT]
    words = room.rpartition(" ")[0] or room[:-1]  # one endless word, or a script without spaces, is cut anywhere
    return words.rstrip(" ,;:.") + "…"
