"""What the store hands out: frozen values that outlive the session they were read in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


class Status(StrEnum):
    """How far a message is. A question is complete at once; an answer is queued, running, then one of four ends."""

    COMPLETE = "complete"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


IN_FLIGHT = frozenset({Status.QUEUED, Status.RUNNING})
ENDS = frozenset({Status.FINISHED, Status.FAILED, Status.CANCELLED, Status.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message. `content` of an answer in flight is its last checkpoint; the stream has the rest."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    content: str
    reasoning: str
    status: Status
    reason: str | None
    stream_id: str | None
    model: str | None
    usage: dict[str, int] | None
    created_at: datetime
    ended_at: datetime | None
    versions: tuple[str, ...]  # ids of all messages in this place of the tree, itself included, oldest first


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A line in the list. `generating` is the stream in flight; `updated_at` the last question or answer."""

    id: str
    title: str
    version: int
    generating: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A whole conversation as a page shows it: `messages` is the active path, first question first."""

    id: str
    owner: str
    title: str
    system_prompt: str
    version: int
    generating: str | None
    created_at: datetime
    updated_at: datetime
    messages: tuple[MessageRecord, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list; `next` is the `before` of the page after it, or None at the end."""

    items: list[ConversationSummary]
    next: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A question and the answer that is now owed. Not `created`: the idempotency key named this earlier send."""

    question: MessageRecord
    answer: MessageRecord
    conversation_id: str
    version: int
    created: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """An answer was settled; its conversation is now at `version`."""

    conversation_id: str
    version: int


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """An answer's stream, as the database knows it. `in_flight`: somebody is writing it, or should be."""

    id: str
    conversation_id: str
    in_flight: bool


class PromptMessage(TypedDict):
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to ask the model: the system prompt, then the path down to the question. Models take it as it is."""

    stream_id: str
    conversation_id: str
    model: str
    messages: list[PromptMessage]
    owed: bool
    """False: the answer has its end already."""


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A conversation that still has its provisional title, and its first finished answer: what a title is made of."""

    conversation_id: str
    title: str
    question: str
    answer: str
    model: str
