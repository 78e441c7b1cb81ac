"""The text that the scripted model writes: numbered words, so that what is missing, doubled or moved can be counted.

Each word holds characters of two and of four bytes in UTF-8, one of which is two code units in JavaScript.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

WORD = "é{i}😀 "
NUMBER = re.compile(r"é(0|[1-9]\d*)😀 ")


def text_of(count: int, first: int = 0) -> str:
    """So many words."""
    return "".join(WORD.replace("{i}", str(number)) for number in range(first, first + count))


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a text, in words; `garbled` are characters that belong to none."""

    lost: int = 0
    repeated: int = 0
    reordered: int = 0
    garbled: int = 0

    def __bool__(self) -> bool:
        return bool(self.lost or self.repeated or self.reordered or self.garbled)

    def __add__(self, other: "Damage") -> "Damage":
        return Damage(
            self.lost + other.lost,
            self.repeated + other.repeated,
            self.reordered + other.reordered,
            self.garbled + other.garbled,
        )


def damage(text: str, count: int) -> Damage:
    """How `text` differs from the first `count` words."""
    numbers = [int(number) for number in NUMBER.findall(text)]
    unique = set(numbers)
    return Damage(
        lost=len(set(range(count)) - unique),
        repeated=len(numbers) - len(unique),
        reordered=sum(later < earlier for earlier, later in pairwise(dict.fromkeys(numbers))),
        garbled=len(NUMBER.sub("", text)) + len(unique - set(range(count))),
    )


def beginning(text: str) -> int:
    """How many whole words `text` has."""
    return len(NUMBER.findall(text))
