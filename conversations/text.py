"""Text from outside, made fit to keep and to show."""

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL; lone surrogates have no UTF-8

TITLE_LIMIT = 200  # characters; far more than any list shows
NAME_LIMIT = 40  # characters
MOST_MARKS = 4  # above or below one letter; more than any language writes, and less than reaches into other lines

TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # Unicode's marks of direction
FORCING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # those that turn more than what stands beside them
# What is drawn as nothing and no language needs. Joiners and variation selectors stay: scripts and emoji have them.
UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0]"
)
SHORT_TITLE_LIMIT = 60  # characters, the ellipsis included: one line of the list


def storable(text: str) -> str:
    """The text as every database takes it: what none can hold becomes U+FFFD."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def clean_line(text: str) -> str:
    """One line without control characters, in which nothing is hidden and nothing turns what stands around it."""
    printable = "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)
    line = _without_heaps(UNSEEN.sub("", FORCING.sub("", " ".join(printable.split()))))
    return " ".join(line.split())


def clean_title(title: str) -> str:
    """As clean_line, cut to TITLE_LIMIT; empty where nothing can be seen."""
    line = clean_line(title)[:TITLE_LIMIT].strip()
    return line if any(map(_is_seen, line)) else ""


def clean_name(name: str) -> str:
    """The name that a visitor gives: as a title, but shorter, and without any mark of direction."""
    return clean_title(clean_title(TURNING.sub("", name))[:NAME_LIMIT])


def _without_heaps(text: str) -> str:
    """With at most MOST_MARKS combining marks in a row."""
    kept, row = [], 0
    for character in text:
        row = row + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if row <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS"


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
