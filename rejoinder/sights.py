"""What was seen of a stream (`streams.Sight`), and what the database knows of it, in words and in JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from conversations import AnswerRecord
from rejoinder.words import duration, size
from streams import Sight

NO_RECORD = "–"

COLUMNS = ["STREAM", "STATE", "AGE", "CHUNKS", "SIZE", "GREW", "LEASE", "MODEL", "CONVERSATION"]


def row(sight: Sight, answer: AnswerRecord | None) -> list[str]:
    return [
        sight.stream_id,
        _state(sight),
        _seconds(sight.age),
        f"{sight.chunks:,}",
        NO_RECORD if sight.bytes is None else size(sight.bytes),
        _seconds(sight.grown),
        _lease(sight),
        (answer.model if answer else None) or NO_RECORD,
        answer.conversation_id if answer else NO_RECORD,
    ]


def facts(sight: Sight, answer: AnswerRecord | None) -> Iterator[tuple[str, str]]:
    yield "stream", sight.stream_id
    yield "state", _state(sight)
    if answer is not None:
        yield "conversation", answer.conversation_id
        yield "model", answer.model or NO_RECORD
        yield "asked", f"{answer.created_at:%Y-%m-%d %H:%M:%S} UTC"
        yield "in database", answer.status.value
    if sight.state == "missing":
        yield "redis", "holds no such stream: it has expired, was lost, or never was"
        return
    yield "queued", f"{_seconds(sight.announced)} ago" if sight.announced is not None else NO_RECORD
    yield "begun", f"{_seconds(sight.opened)} ago" if sight.opened is not None else NO_RECORD
    yield "grew", f"{_seconds(sight.grown)} ago, or later" if sight.grown is not None else NO_RECORD
    yield "chunks", f"{sight.chunks:,}"
    yield "size", NO_RECORD if sight.bytes is None else f"{size(sight.bytes)} in Redis's memory, about"
    yield "lease", _lease(sight)
    yield "position", f"{sight.epoch}:{sight.chunks}" if sight.epoch else NO_RECORD
    yield "writers", f"{sight.fence or 0} so far" + (f"; begun again ({sight.again})" if sight.again else "")
    if sight.end is not None:
        yield "reason", sight.end.reason or NO_RECORD
        yield "usage", json.dumps(sight.end.usage)


def _state(sight: Sight) -> str:
    if sight.end is not None:
        return sight.end.outcome.value
    if sight.cancel:
        return f"{sight.state}, to stop"
    return "taken" if sight.taken else sight.state


def _lease(sight: Sight) -> str:
    if sight.lease_left is None:
        return NO_RECORD
    return f"{duration(sight.lease_left)} left" if sight.lease_left >= 0 else f"over for {duration(-sight.lease_left)}"


def _seconds(value: float | None) -> str:
    return NO_RECORD if value is None else duration(value)


def ending(sight: Sight) -> str:
    if sight.end is None:
        return "something that is gone since"
    return sight.end.outcome.value + (f" ({sight.end.reason})" if sight.end.reason else "")


def kept(sight: Sight) -> str:
    if sight.chunks < 2:  # but for the end
        return "There was nothing of it yet."
    return "One chunk is kept." if sight.chunks == 2 else f"{sight.chunks - 1:,} chunks are kept."


def as_json_of(sight: Sight, answer: AnswerRecord | None) -> dict[str, Any]:
    """Every fact there is, with None for what is not known."""
    asked: datetime | None = answer.created_at if answer else None
    return {
        **asdict(sight),
        "age": sight.age,
        "conversation": answer.conversation_id if answer else None,
        "model": answer.model if answer else None,
        "status": answer.status.value if answer else None,
        "asked": asked.isoformat() if asked else None,
    }
