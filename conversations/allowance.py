"""How much there may be of what people ask for; spending.py sees to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much there may be. None: as much as one likes."""

    running: int | None = None
    """Answers of one person, queued or being written."""
    tokens: int | None = None
    """Of one person, in a day."""
    tokens_of_all: int | None = None
    """Of all together, in a day."""
    conversation: int | None = None
    """Characters of a conversation that is sent to a model."""
