"""Keys that sign cookies: read from the environment, and refused where others could guess them.

There is no mode in which a weak one would do: whoever knows the key is everybody.
"""

import re
from collections.abc import Sequence

from pydantic import SecretStr

LEAST = 32  # characters
VARIETY = 10  # different ones; of 32 random hexadecimal digits 14 differ, and less than 8 once in a hundred thousand
PLACEHOLDERS = re.compile(
    "change|replace|example|placeholder|default|insecure|password|your.?secret|super.?secret", re.I
)
"""What instructions and examples hold; not one in ten million random keys has one of these in it."""


def strong(key: SecretStr) -> SecretStr:
    """The key. Raises ValueError, which does not repeat it, for one that is short, repeats itself or is an example."""
    text = key.get_secret_value()
    repeats_itself = text in (text + text)[1:-1]
    if len(text) < LEAST or len(set(text)) < VARIETY or repeats_itself or PLACEHOLDERS.search(text):
        raise ValueError("this key can be guessed")
    return key


def several(told: object) -> object:
    """Keys with commas between them, as they stand in an environment."""
    return [SecretStr(key.strip()) for key in told.split(",") if key.strip()] if isinstance(told, str) else told


def plain(keys: Sequence[SecretStr]) -> list[str]:
    """What they are."""
    return [key.get_secret_value() for key in keys]
