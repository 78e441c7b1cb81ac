"""What travels in JSON: the bodies that come in, checked, and the answers that go out."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    model_validator,
)

MAX_CONTENT = 100_000  # characters of one message
MAX_SYSTEM_PROMPT = 20_000
MAX_TITLE = 200
MAX_MODEL = 200
MAX_NAME = 80  # of which 40 are kept
MAX_REMARK = 2_000
MAX_PAGE = 100  # conversations in one answer


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _to_come(moment: datetime) -> datetime:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:  # the last or first day of all, in a zone that moves it over the edge
        raise ValueError("no calendar reaches this moment; take one in the years 1 to 9999 UTC") from None
    if in_utc <= datetime.now(UTC):
        raise ValueError("this moment has passed; take a later one, or null for no end")
    return in_utc


def _as_text(moment: Any) -> Any:
    if moment is not None and not isinstance(moment, str):  # a number would be read as seconds, or milliseconds
        raise ValueError("a moment is a text, for example 2030-01-31T12:00:00Z")
    return moment


ToCome = Annotated[AwareDatetime, BeforeValidator(_as_text), AfterValidator(_to_come)]
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


class NewMessage(Strict):
    """What the person says."""

    content: Content
    model: Model | None = None


class ModelChoice(OptionalBody):
    """Which model writes another version."""

    model: Model | None = None


class Change(Strict):
    """What is to be different about a conversation."""

    title: Annotated[Title, Field(min_length=1), AfterValidator(_not_blank)] | None = None
    system_prompt: Annotated[str, Field(max_length=MAX_SYSTEM_PROMPT)] | None = None


class NewShare(OptionalBody):
    """What a link is good for."""

    may_ask: StrictBool = Field(default=False, description="whoever has it may ask too; else they watch")
    discussion: StrictBool = Field(default=True, description="they may talk beside the conversation")
    shows_prompt: StrictBool = Field(default=False, description="they see the system prompt")
    indexed: StrictBool = Field(default=False, description="search engines may list it")
    expires_at: ToCome | None = Field(default=None, description="when it ends by itself")


Name = Annotated[str, Field(max_length=MAX_NAME, description="under which it is shown; a guest without a name")]


class Question(Strict):
    """What a visitor asks."""

    content: Content
    name: Name = ""


class NewRemark(Strict):
    """What somebody says beside the conversation."""

    content: Annotated[str, Field(min_length=1, max_length=MAX_REMARK), AfterValidator(_not_blank)]
    name: Name = ""


class ConversationPath(BaseModel):
    conversation_id: str


class MessagePath(BaseModel):
    message_id: str


class SharePath(BaseModel):
    share_id: str


class RemarkPath(ConversationPath):
    remark_id: str


class SharedRemarkPath(SharePath):
    remark_id: str


class StreamPath(BaseModel):
    stream_id: str


class StreamQuery(Strict):
    position: str | None = Field(
        default=None, max_length=64, description="`epoch:index`; what lies before it is not sent again"
    )
    share: str | None = Field(default=None, max_length=64, description="the share by which one may read it")


class ListQuery(Strict):
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    before: str | None = Field(default=None, max_length=200, description="`next` of the page before this one")
    q: str = Field(
        default="", max_length=200, description="only conversations in whose title or messages these words stand"
    )


class ExportQuery(Strict):
    format: Literal["json", "markdown"] = "json"


class RemarksQuery(Strict):
    after: int = Field(default=0, ge=0, le=2**31 - 1, description="the last `change` that is known")


class SendHeaders(BaseModel):
    idempotency_key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="up to 128 visible ASCII characters that name this send; repeated, it begins nothing new",
    )

    # flask-openapi3 asks for it with every request, and making it takes half a millisecond.
    @classmethod
    @cache
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        return super().model_json_schema(*args, **options)


# --- answers --------------------------------------------------------------------------------------------------------


def _or_as(content_type: str) -> dict[str, Any]:
    """The same answer may come as text of this type, if it is asked for so."""
    return {"content": {content_type: {"schema": {"type": "string"}}}}


class Answer(BaseModel):
    """Reads a record of `conversations`."""

    model_config = ConfigDict(from_attributes=True)


class Author(Answer):
    name: str = Field(description="of their choice, perhaps empty")
    tag: str = Field(description="the same for all that one person says in this conversation, and in no other")
    owner: bool = Field(description="of the conversation")


class Message(Answer):
    id: str
    parent_id: str | None
    role: Literal["user", "assistant"]
    author: Author | None = Field(description="the visitor who asked; null: the owner, or the model")
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


class Share(Answer):
    """A link: the page opens it at `/s/<id>`."""

    id: str
    may_ask: bool = Field(validation_alias=AliasPath("terms", "may_ask"))
    discussion: bool = Field(validation_alias=AliasPath("terms", "discussion"))
    shows_prompt: bool = Field(validation_alias=AliasPath("terms", "shows_prompt"))
    indexed: bool = Field(validation_alias=AliasPath("terms", "indexed"))
    created_at: datetime
    expires_at: datetime | None = Field(validation_alias=AliasPath("terms", "expires_at"))


class Conversation(ConversationSummary):
    system_prompt: str
    messages: list[Message] = Field(description="the active path, the first message first")
    shares: list[Share] = Field(description="the links to it that were not revoked")
    remarks: int = Field(description="how many changes its discussion has seen")
    me: str = Field(validation_alias="owner_tag", description="your own tag in it")


class SharedConversation(BaseModel):
    """A conversation as whoever has the link sees it."""

    id: str = Field(description="the share's; to visitors it is the conversation's name")
    title: str
    version: int
    generating: str | None
    created_at: datetime
    updated_at: datetime
    system_prompt: str | None = Field(description="null: it is not shown")
    messages: list[Message] = Field(description="the path that the owner sees, without its other versions")
    remarks: int
    me: str
    may_ask: bool
    discussion: bool
    expires_at: datetime | None


class Remark(Answer):
    id: str
    change: int = Field(description="larger for what is newer: a remark, or its removal")
    author: Author
    content: str
    created_at: datetime
    removed: bool = Field(description="then the content is empty")


class Remarks(BaseModel):
    items: list[Remark] = Field(description="in the order of their changes, at most 200; ask on from the last `change`")


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

    model_config = ConfigDict(from_attributes=True, openapi_extra=_or_as("text/event-stream"))  # type: ignore[typeddict-unknown-key]  # flask-openapi3's

    stream: str = Field(validation_alias="stream_id")
    epoch: str | None = Field(description="names this incarnation of the text; null while nobody has begun to write it")
    start: int
    stop: int = Field(description="the next index to ask for")
    state: Literal["queued", "running", "ended"]
    text: str
    reasoning: str
    note: str | None = Field(description="what the text waits for, in a sentence; empty: for nothing more")
    end: StreamEnd | None


class Digest(BaseModel):
    """By which two who have read the same stream know that they have read the same text."""

    stream: str
    epoch: str | None = Field(description="null: the stream has expired, and this is its saved text")
    index: int | None = Field(description="the digest is of the text of `[0, index)`")
    sha256: str = Field(description="of the text (not the reasoning) in UTF-8, as hexadecimal digits")


class Exported(BaseModel):
    """All that is known of a conversation."""

    model_config = ConfigDict(openapi_extra=_or_as("text/markdown"))  # type: ignore[typeddict-unknown-key]  # flask-openapi3's

    id: str
    title: str
    system_prompt: str
    created_at: datetime
    updated_at: datetime
    shown: list[str] = Field(description="the ids of the active path, the first message first")
    messages: list[Message] = Field(description="in all versions, oldest first")


class Ready(BaseModel):
    redis: Literal["ok"]
    streams: Literal["ok"] = Field(description="where streams are, if not in the same Redis")
    database: Literal["ok"]


class Alive(BaseModel):
    status: Literal["ok"]


class Vitals(BaseModel):
    connections: int = Field(description="open WebSockets and event streams")
    tails: int = Field(description="streams held in memory; those that nobody watches for half a minute longer")
    viewers: int = Field(description="who follows them, over those connections")
    subscriptions: int = Field(
        description="channels that it listens to in Redis, over one connection, in a cluster one to each server"
    )
    greenlets: int = Field(description="of all kinds, those of its own threads included")


class AccountShown(BaseModel):
    """An account, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    email: str | None


class SignIn(BaseModel):
    """Where one can sign in."""

    name: str = Field(description="of the login service, for a button")
    at: str = Field(description="the path to open in a browser; `?next=` names a path to come back to")
    required: bool = Field(description="whether only people with an account may write")


class Account(BaseModel):
    """Who is asking."""

    me: str = Field(description="a digest of your identity: another one after signing in or out, in any tab")
    account: AccountShown | None = Field(description="null: nobody has signed in")
    sign_in: SignIn | None = Field(description="null: there are no accounts here")


class SignedOut(BaseModel):
    """The account was left."""

    location: str = Field(description="where to send the browser: to the login service, to sign out there too, or home")
