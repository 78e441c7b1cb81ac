"""What a source of answers promises, whoever is behind it."""

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streams import Kind

Message = Mapping[str, object]  # {"role": "system" | "user" | "assistant", "content": …}


@dataclass(frozen=True, slots=True)
class Refused:
    """The model said "not now". It is asked again after `pause` seconds; `words` tell a person why."""

    words: str
    pause: float
    kind: str = field(default="trouble", compare=False)
    """One of workers.metrics.KINDS."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The model has taken the request, and its response has begun. Text may still be far."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, as the model sent it."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The model says that the answer is whole. At most `Usage` follows; nothing that comes now can make it fail."""

    reason: str  # in the model's words: "stop", "length", "content_filter", …


@dataclass(frozen=True, slots=True)
class Usage:
    """The model's token counts."""

    counts: dict[str, int]


Event = Refused | Begun | Delta | Finish | Usage


class ModelFailed(Exception):
    """There is no answer, or no whole one. `reason` is a sentence for the person who chats, `cause` is for the log, and
    `kind`, one of workers.metrics.KINDS, is counted. `said` are the server's own words where they may quote what was
    asked: those are logged only where that is."""

    def __init__(self, reason: str, cause: str, kind: str = "broken", said: str = "") -> None:
        super().__init__(cause)
        self.reason = reason
        self.cause = cause
        self.kind = kind
        self.said = said

    def hide(self, secret: re.Pattern[str]) -> None:
        """Say nothing that this finds: servers repeat what they were sent."""
        self.reason, self.cause, self.said = (secret.sub("•••", text) for text in (self.reason, self.cause, self.said))
        self.args = (self.cause,)


class Source(Protocol):
    """A model, or many: somebody who answers."""

    def models(self) -> list[str]:
        """The names of those who can be asked. Raises ModelFailed."""
        ...

    def stream(self, model: str | None, messages: Sequence[Message]) -> Generator[Event]:
        """Ask once, and yield what comes: `Refused` any number of times, `Begun`, then the answer. Ends after `Finish`,
        or raises ModelFailed.

        A generator that is closed, or whose greenlet is killed, closes the connection to the model.
        """
        ...
