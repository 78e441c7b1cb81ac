"""What the store hands out: frozen values that outlive the session they were read in."""

import hashlib
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
class Visitor:
    """Somebody who came by a share: an identity that nobody is shown, and the name of their choice, perhaps empty."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom a provider of identities vouches for. `subject` is by what it knows them; the rest may change."""

    issuer: str
    subject: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An owner who has signed in."""

    owner: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who said something, without telling who that is: see `tag_of`."""

    name: str
    tag: str
    owner: bool = False  # of the conversation


def tag_of(conversation_id: str, person: str) -> str:
    """By what a person's words are known in this conversation, and in no other. Identities are too random to guess."""
    return hashlib.sha256(f"{conversation_id}:{person}".encode()).hexdigest()[:12] if person else ""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message. `content` of an answer in flight is its last checkpoint; the stream has the rest."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    author: Author | None  # the visitor who asked; None: the owner, or the model
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
class Terms:
    """What a link is good for."""

    may_ask: bool = False
    discussion: bool = True
    shows_prompt: bool = False
    indexed: bool = False  # search engines may list it
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """A link to a conversation. Whoever knows the id is let in."""

    id: str
    conversation_id: str
    terms: Terms
    created_at: datetime
    revoked_at: datetime | None

    def is_over(self, moment: datetime) -> bool:
        """Whether it lets nobody in any more."""
        ended = self.terms.expires_at
        return self.revoked_at is not None or (ended is not None and ended <= moment)


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
    remarks: int  # how many changes its discussion has seen
    created_at: datetime
    updated_at: datetime
    messages: tuple[MessageRecord, ...]
    shares: tuple[ShareRecord, ...]  # those that were not revoked, the oldest first

    @property
    def owner_tag(self) -> str:
        """By what the owner's own words are known in it."""
        return tag_of(self.id, self.owner)


@dataclass(frozen=True, slots=True)
class RemarkRecord:
    """What somebody said beside a conversation. `change` grows: what has a larger one is newer."""

    id: str
    change: int
    author: Author
    content: str  # empty when it was removed
    created_at: datetime
    removed: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A conversation of this owner's is now at `version`."""

    conversation_id: str
    version: int
    owner: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account, and the conversations that changed because it took along what was its browser's."""

    account: AccountRecord
    changed: list[Changed]


@dataclass(frozen=True, slots=True)
class Deleted:
    """A conversation that nobody finds any more. `stream_id`: it was being answered, which is to be stopped."""

    conversation_id: str
    version: int
    stream_id: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a person: their conversations, and what they had said in those of others; streams in flight."""

    changed: list[Changed]
    stream_ids: list[str]


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
    owner: str  # of the conversation
    created: bool


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """An answer's stream, as the database knows it. `in_flight`: somebody is writing it, or should be."""

    id: str
    conversation_id: str
    in_flight: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """An answer that no worker has begun."""

    conversation_id: str
    model: str | None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """What whoever runs the service may know of an answer: where it belongs, who writes it; none of its words."""

    conversation_id: str
    model: str | None
    status: Status
    created_at: datetime
    ended_at: datetime | None


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
    begun: str
    """The part of the answer that is there already, to be gone on from; usually empty."""
    begun_reasoning: str
    owed: bool
    """False: the answer has its end already."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a worker that begins is to ask, and what that changed; None, if it had been begun or had ended before."""

    prompt: Prompt
    changed: Changed | None


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A conversation that still has its provisional title, and its first finished answer: what a title is made of."""

    conversation_id: str
    title: str
    question: str
    answer: str
    model: str
