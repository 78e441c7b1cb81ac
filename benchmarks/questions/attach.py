"""Coming late, or back: what it takes to have what is missing of a long stream, alone and a thousand at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import redis

import streams
from benchmarks.load import Plan, Report, Target
from benchmarks.ours import Ours
from benchmarks.stage import Stage, cpu_seconds
from benchmarks.table import Table
from streams import Kind, StreamWriters, keys
from streams.settings import StreamSettings
from tests.support.socket_client import connected

HERD = 1_000
MISSING = (0, 10, 1_000)  # chunks that a client lacks; and all of them
AT_ONCE = 200  # chunks that are written at a time, to make a stream


@dataclass(frozen=True, slots=True)
class Made:
    """A stream that ended, of so many chunks of one word each."""

    stream: str
    epoch: str
    chunks: int


def attach(stage: Stage, system: Ours, lengths: Sequence[int]) -> Table:
    """To streams of so many chunks."""
    table = Table(
        "attach",
        "Attach: coming late, or back",
        (
            "chunks",
            "missing",
            "clients",
            "whole",
            "ms to the last",
            "bytes a client",
            "bytes missing",
            "× missing",
            "bytes, compressed",
            "web CPU ms a client",
            "Redis calls",
        ),
    )
    table.begin()
    for length in lengths:
        made = _make(stage, system, length)
        for missing in (*(each for each in MISSING if each < length), length):
            _row(stage, system, table, made, missing, 1)
        _row(stage, system, table, made, length, HERD if length <= 10_000 else HERD // 10)
    return table


def _row(stage: Stage, system: Ours, table: Table, made: Made, missing: int, clients: int) -> None:
    first = made.chunks - missing
    position = f"{made.epoch}:{first}"
    target = Target(system.port, system.openings(made.stream, position), clients, first)
    with streams.connect(stage.redis_server.url) as client:
        calls, spent = _calls(client), cpu_seconds(system.web)
        with stage.load(Plan([target], made.chunks, last='"type":"end"')) as load:
            load.wait("attached")
            load.wait("done")
            calls, spent = _calls(client) - calls, cpu_seconds(system.web) - spent
            report: Report = load.report()
        entries: list[bytes] = client.lrange(keys.chunks(made.stream), first, -1)
    lacking = sum(len(entry) - 2 for entry in entries[:-1])
    received = report.bytes / clients
    table.add(
        made.chunks,
        missing,
        clients,
        report.whole,
        report.attach_last,
        received,
        lacking,
        received / lacking if lacking else None,
        _compressed(system, made, position) if clients == 1 else None,
        1_000 * spent / clients,
        calls,
    )


def _compressed(system: Ours, made: Made, position: str) -> int:
    """Bytes of the same, for a client that offers compression as browsers do; the load client does not."""
    with connected(system.url, system.visitor.cookie) as client:
        client.copy.epoch, client.copy.next_index = made.epoch, int(position.partition(":")[2])
        client.say(type="follow", stream=made.stream, position=position)
        client.receive_until("end")
        return client.received


def _make(stage: Stage, system: Ours, length: int) -> Made:
    """Have the model wait, take the stream over from its worker, and write it chunk by chunk."""
    stream = system.begin(json.dumps({"hold": "for ever"}))
    with streams.connect(stage.redis_server.url) as client:
        writers = StreamWriters(client, StreamSettings())
        writers.start()
        try:
            with writers.open(stream, take_over=True) as writer:
                for number in range(length):
                    writer.append(Kind.TEXT, f"{number}@0.0 ")
                    writer.wait_stored()
                writer.end(streams.End(streams.Outcome.FINISHED))
                writer.wait_flushed()
                return Made(stream, writer.epoch, length)
        finally:
            writers.close()


def _calls(client: "redis.Redis") -> int:
    """How often anybody had a list read."""
    stats = client.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("lrange", "evalsha", "eval"))
