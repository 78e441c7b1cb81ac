"""What there is just now: put together from Redis, the database, and what every process says of itself.

Rule: whatever does not answer leaves its own part empty, with a sentence, and the others are shown. Whoever opens this
page has come because something does not work.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from conversations import AnswerRecord, NotFound
from jobs.inspection import look_at_waiting
from streams import Sight, count_unsettled, look_at, look_into, try_to_look_at, unsettled
from telemetry.presence import Process, call_roll
from webapp.operations.schemas import (
    Contents,
    Operations,
    ProcessSeen,
    QueueSeen,
    StreamOpened,
    StreamSeen,
    StreamsSeen,
    ViewersThere,
)
from webapp.patience import patiently
from webapp.services import Services

log = logging.getLogger(__name__)

T = TypeVar("T")

NO_REDIS = "Redis does not answer, so the queue and the processes cannot be seen."
NO_STREAMS = "The Redis of the streams does not answer, so they cannot be seen."
NO_DATABASE = "The database does not answer, so models and conversations are not known."
CHARACTERS, RATE, DELTAS = range(3)  # what a worker says of a stream: workers/metrics.py


def look(services: Services, most: int) -> Operations:
    """Everything, of the streams at most so many."""
    troubles: list[str] = []

    def tried(look: Callable[[], T], complaint: str) -> T | None:
        try:
            return look()
        except (RedisError, SQLAlchemyError) as error:
            log.warning("operations not seen: %s", str(error).partition("\n")[0])
            if complaint not in troubles:
                troubles.append(complaint)
            return None

    def asked(look: Callable[[], T], complaint: str) -> T | None:
        return tried(partial(patiently, look), complaint)

    roll = asked(partial(call_roll, services.redis), NO_REDIS)
    queue = asked(partial(_queue, services), NO_REDIS) if roll else None
    processes = roll.processes if roll else []
    total = asked(partial(count_unsettled, services.stream_redis), NO_STREAMS)
    streams = None
    if total is not None:
        names = asked(partial(unsettled, services.stream_redis, most), NO_STREAMS) or []
        sights = asked(partial(try_to_look_at, services.stream_redis, names), NO_STREAMS) or [None] * len(names)
        seen = [sight for sight in sights if sight]
        answers = tried(partial(services.store.answers_of, names), NO_DATABASE) or {}
        shown = [_seen(sight, answers.get(sight.stream_id), processes) for sight in seen]
        streams = StreamsSeen(total=total, shown=shown, unreachable=len(sights) - len(seen))
    return Operations(
        at=datetime.fromtimestamp(roll.now, UTC) if roll else datetime.now(UTC),
        streams=streams,
        queue=queue,
        processes=[_process(each) for each in processes] if roll else None,
        may_read=bool(services.settings.admin_reads_answers),
        troubles=troubles,
    )


def open_stream(services: Services, stream_id: str) -> StreamOpened:
    """All about one. Raises NotFound for one that neither Redis nor the database knows, RedisError, SQLAlchemyError."""
    [sight] = patiently(partial(look_at, services.stream_redis, [stream_id]))
    answer = services.store.answers_of([stream_id]).get(stream_id)
    if sight.state == "missing" and answer is None:
        raise NotFound("stream", stream_id)
    contents = patiently(partial(look_into, services.stream_redis, stream_id))
    processes = patiently(partial(call_roll, services.redis)).processes
    return StreamOpened(
        **_seen(sight, answer, processes).model_dump(),
        asked_at=answer.created_at if answer else None,
        ended_at=answer.ended_at if answer else None,
        status=answer.status.value if answer else None,
        epoch=sight.epoch,
        fence=sight.fence,
        usage=sight.end.usage if sight.end else None,
        contents=Contents(**asdict(contents)) if contents else None,
        watched=[
            ViewersThere(process=each.id, viewers=viewers)
            for each in processes
            if (viewers := _viewers(each, stream_id))
        ],
    )


def _queue(services: Services) -> QueueSeen:
    waiting, oldest = look_at_waiting(services.redis, services.queue.name)
    return QueueSeen(name=services.queue.name, waiting=waiting, oldest=oldest)


def _seen(sight: Sight, answer: AnswerRecord | None, processes: Sequence[Process]) -> StreamSeen:
    writer = next((each for each in processes if each.kind == "worker" and sight.stream_id in each.streams), None)
    written = _written(writer.streams[sight.stream_id]) if writer else None
    return StreamSeen(
        stream=sight.stream_id,
        conversation=answer.conversation_id if answer else None,
        model=answer.model if answer else None,
        state="taken" if sight.taken else sight.state,  # type: ignore[arg-type]  # one of those
        outcome=sight.end.outcome.value if sight.end else None,
        reason=sight.end.reason if sight.end else None,
        stopping=sight.cancel and sight.end is None,
        again=sight.again is not None,
        age=sight.age,
        writing=sight.opened,
        grown=sight.grown,
        lease=sight.lease_left,
        chunks=sight.chunks,
        bytes=sight.bytes,
        characters=written[CHARACTERS] if written else None,
        characters_per_second=written[RATE] if written else None,
        deltas_per_second=written[DELTAS] if written else None,
        viewers=sum(_viewers(each, sight.stream_id) for each in processes),
        worker=writer.id if writer else None,
    )


def _viewers(process: Process, stream_id: str) -> int:
    """How many there are in a web process. What it says is believed if it is a number."""
    told = process.streams.get(stream_id) if process.kind == "web" else None
    return told if type(told) is int and told > 0 else 0


def _written(told: Any) -> list[Any] | None:
    """What a worker says of a stream that it writes, if these are the numbers that it says of one."""
    return told if isinstance(told, list) and len(told) == 3 and {type(each) for each in told} <= {int, float} else None


def _process(process: Process) -> ProcessSeen:
    return ProcessSeen(
        id=process.id,
        kind=process.kind,
        host=process.host,
        pid=process.pid,
        version=process.version,
        since=datetime.fromtimestamp(process.began, UTC),
        heard=process.heard,
        memory=_whole(process.numbers, "resident_memory_bytes") or 0,
        viewers=_whole(process.numbers, "viewers"),
        connections=_whole(process.numbers, "connections"),
        tails=_whole(process.numbers, "tails"),
        subscriptions=_whole(process.numbers, "subscriptions"),
        running=_whole(process.numbers, "generations_running"),
        limit=_whole(process.numbers, "generations_limit"),
    )


def _whole(numbers: Mapping[str, Any], name: str) -> int | None:
    return int(numbers[name]) if name in numbers else None
