"""What travels in JSON: the bodies that come in, checked, and the answers that go out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasPath, BaseModel, ConfigDict, Field, model_validator

MAX_CONTENT = 100_000  # characters of one message
MAX_SYSTEM_PROMPT = 20_000
MAX_TITLE = 200
MAX_MODEL = 200
MAX_PAGE = 100  # conversations in one answer


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Content = Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), AfterValidator(_not_blank)]
Title = Annotated[str, Field(max_length=MAX_TITLE)]
Model = Annotated[str, Field(min_length=1, max_length=MAX_MODEL, description="instead of the server's own choice")]


class Strict(BaseModel):
    """A request says nothing that is not understood."""

    model_config = ConfigDict(extra="forbid")


class OptionalBody(Strict):
    """A request of which every member may be left out, and so the body too."""

    model_config = ConfigDict(openapi_extra={"required": False})  # type: ignore[typeddict-unknown-key]  # flask-openapi3's

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_an_empty_object(cls, body: Any) -> Any:
        return {} if body is None else body


# --- requests -------------------------------------------------------------------------------------------------------


class NewConversation(OptionalBody):
    """How a conversation begins."""

    title: Title = ""
    system_prompt: Annotated[str, Field(max_length=MAX_SYSTEM_PROMPT)] = ""


class Rename(Strict):
    """A conversation's new title."""

    title: Annotated[Title, Field(min_length=1), AfterValidator(_not_blank)]


class NewMessage(Strict):
    """What the person says."""

    content: Content
    model: Model | None = None


class ModelChoice(OptionalBody):
    """Which model writes another version."""

    model: Model | None = None


class ConversationPath(BaseModel):
    conversation_id: str


class MessagePath(BaseModel):
    message_id: str


class StreamPath(BaseModel):
    stream_id: str


class StreamQuery(Strict):
    position: str | None = Field(
        default=None, max_length=64, description="`epoch:index`; what lies before it is not sent again"
    )


class ListQuery(Strict):
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    before: str | None = Field(default=None, max_length=200, description="`next` of the page before this one")
    q: str = Field(
        default="", max_length=200, description="only conversations in whose title or messages these words stand"
    )


class SendHeaders(BaseModel):
    idempotency_key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="up to 128 visible ASCII characters that name this send; sent again, they start nothing new",
    )


# --- answers --------------------------------------------------------------------------------------------------------


class Answer(BaseModel):
    """Reads a record of `conversations`."""

    model_config = ConfigDict(from_attributes=True)


class Message(Answer):
    id: str
    parent_id: str | None
    role: Literal["user", "assistant"]
    content: str = Field(description="of an answer in flight: its last checkpoint; the stream has the rest")
    reasoning: str
    status: Literal["complete", "queued", "running", "finished", "failed", "cancelled", "interrupted"]
    reason: str | None = Field(description="how it ended, in a sentence for the person")
    stream: str | None = Field(validation_alias="stream_id")
    model: str | None
    usage: dict[str, int] | None
    created_at: datetime
    ended_at: datetime | None
    versions: list[str] = Field(description="the ids of its siblings and itself, oldest first")


class ConversationSummary(Answer):
    id: str
    title: str
    version: int = Field(description="grows by one with every change that a page could show")
    generating: str | None = Field(description="the stream that is being written")
    created_at: datetime
    updated_at: datetime


class Conversation(ConversationSummary):
    system_prompt: str
    messages: list[Message] = Field(description="the active path, the first message first")


class ConversationPage(Answer):
    items: list[ConversationSummary]
    next: str | None = Field(description="`before` of the next page; null at the end")


class Sent(Answer):
    """An answer is on its way: follow `stream`."""

    conversation: str = Field(validation_alias="conversation_id")
    version: int
    question: Message
    answer: Message
    stream: str = Field(validation_alias=AliasPath("answer", "stream_id"))


class Stopped(BaseModel):
    stream: str
    stopping: bool = Field(description="false: it had ended already")


class ModelList(Answer):
    default: str = Field(description="the one that answers where none is named; empty while that is not known")
    models: list[str] = Field(description="those that can be named")


class StreamEnd(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    outcome: Literal["finished", "failed", "cancelled", "interrupted"]
    reason: str | None
    usage: dict[str, int] | None


class StreamRecording(BaseModel):
    """What is stored of a stream: the entries `[start, stop)`, joined."""

    model_config = ConfigDict(from_attributes=True)

    stream: str = Field(validation_alias="stream_id")
    epoch: str | None = Field(description="names this incarnation of the text; null while nobody has begun to write it")
    start: int
    stop: int = Field(description="the next index to ask for")
    state: Literal["queued", "running", "ended"]
    text: str
    reasoning: str
    note: str | None = Field(description="what the text waits for, in a sentence; empty: for nothing more")
    end: StreamEnd | None


class Ready(BaseModel):
    redis: Literal["ok"]
    database: Literal["ok"]


class Alive(BaseModel):
    status: Literal["ok"]
