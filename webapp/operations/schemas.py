"""What travels in JSON to the operations page, and to programs that read what it shows. Ages are in seconds."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from webapp.schemas import Strict

MOST_SHOWN = 1_000


class OperationsQuery(Strict):
    streams: int = Field(default=300, ge=0, le=MOST_SHOWN, description="at most so many of them")


class HistoryQuery(Strict):
    span: Literal["hour", "day"] = "hour"


class TextQuery(Strict):
    position: str | None = Field(default=None, max_length=64, description="`epoch:index`, as that of a follower")


class StreamSeen(BaseModel):
    """A stream that is not saved yet. What is not known is null."""

    stream: str
    conversation: str | None
    model: str | None
    state: Literal["queued", "taken", "running", "ended", "missing"] = Field(
        description="`taken`: a worker has its job and has not begun; `missing`: Redis does not have it"
    )
    outcome: Literal["finished", "failed", "cancelled", "interrupted"] | None
    reason: str | None = Field(description="how it ended, in a sentence")
    stopping: bool = Field(description="somebody asked to stop it")
    again: bool = Field(description="it was begun again after its first worker had died")
    age: float | None = Field(description="since it was queued")
    writing: float | None = Field(description="since its writer began")
    grown: float | None = Field(description="since a heartbeat of its writer last found new chunks")
    lease: float | None = Field(description="until its worker is taken for dead")
    chunks: int
    bytes: int | None = Field(description="in Redis's memory, about")
    characters: int | None = Field(description="of a stream that is being written")
    characters_per_second: float | None
    deltas_per_second: float | None = Field(description="pieces of text from the model: with most, each is a token")
    viewers: int = Field(description="in all web processes")
    worker: str | None = Field(description="the process that writes it, an `id` among `processes`")


class StreamsSeen(BaseModel):
    total: int = Field(description="how many are not saved yet")
    shown: list[StreamSeen] = Field(description="those first that somebody has to look after the soonest")
    unreachable: int = Field(description="how many of these lie on a server of the cluster that does not answer")


class QueueSeen(BaseModel):
    name: str
    waiting: int
    oldest: float | None = Field(description="so long the first of them has waited")


class ProcessSeen(BaseModel):
    """A process that was heard of in the last ten seconds. What its kind has not is null."""

    id: str
    kind: str = Field(description="`web` or `worker`")
    host: str
    pid: int
    version: str
    since: datetime
    heard: float = Field(description="so long ago")
    memory: int
    viewers: int | None
    connections: int | None = Field(description="open WebSockets and event streams")
    tails: int | None = Field(description="streams held in memory, each once for all its viewers")
    subscriptions: int | None
    running: int | None = Field(description="generations")
    limit: int | None


class Operations(BaseModel):
    """What there is just now. A part that could not be read is null, and `troubles` says why."""

    at: datetime
    streams: StreamsSeen | None
    queue: QueueSeen | None
    processes: list[ProcessSeen] | None
    may_read: bool = Field(description="whether the administrator may read answers (ADMIN_READS_ANSWERS)")
    troubles: list[str]


class Waits(BaseModel):
    """How often something took how long: `counts[n]` times at most `bounds[n]` seconds and longer than the one before.
    The last count is of those beyond all bounds."""

    bounds: list[float]
    queue: list[int] = Field(description="from the queuing of a job until a worker took it")
    first_token: list[int] = Field(description="from the question to the first word of the model's answer")


class History(BaseModel):
    """How it was. Lists have one value for each step, the oldest first; null where nobody took note."""

    begins: datetime
    step: float = Field(description="seconds")
    ended: dict[str, list[int]] = Field(description="streams, by how they ended")
    deltas: list[float | None] = Field(description="a second, from all models")
    chunks: list[float | None] = Field(description="a second, written to Redis")
    viewers: list[float | None] = Field(description="the most at a time")
    running: list[float | None] = Field(description="generations, the most at a time")
    limit: list[float | None] = Field(description="how many could run")
    waiting: list[float | None] = Field(description="in the queue, the most at a time")
    waits: Waits
    counted: dict[str, int] = Field(
        description="in all of this time, by all processes: the counters of telemetry/README.md, without `rejoinder_` "
        "and `_total`; what never happened may be left out"
    )
    counting_since: datetime = Field(description="the beginning of that time, or when it was first counted")


class ViewersThere(BaseModel):
    process: str
    viewers: int


class Contents(BaseModel):
    """Chunks by what they are, and their bytes."""

    text: int
    text_bytes: int
    reasoning: int
    reasoning_bytes: int
    notes: int


class StreamOpened(StreamSeen):
    """All that is known of one stream, but not what it says."""

    asked_at: datetime | None
    ended_at: datetime | None = Field(description="when it was saved")
    status: str | None = Field(description="in the database")
    epoch: str | None
    fence: int | None = Field(description="how many writers it has had")
    usage: dict[str, int] | None
    contents: Contents | None
    watched: list[ViewersThere]


class StreamText(BaseModel):
    """What a stream says from a position on."""

    stream: str
    position: str | None = Field(description="from where to read on; null while nobody has begun to write it")
    start: int
    text: str
    reasoning: str
    note: str | None
    ended: bool
