"""What a web process holds for a viewer and for a stream, and that it lets go of it."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.load import Plan, Target
from benchmarks.questions.fan_out import Start
from benchmarks.stage import LoadClient, Stage, System, megabytes
from benchmarks.table import Table

WORDS = 20
GONE = 35.0  # seconds, a part of what is measured: a stream that nobody watches is held for 30, and then let go
VIEWERS, STREAMS = "viewers of one stream", "streams, a viewer each"


def memory(stage: Stage, start: Start, viewers: Sequence[int], streams: Sequence[int]) -> Table:
    """So many viewers of one stream, and then so many streams with one viewer each; all idle, each in its own process.

    More and more come; then all leave; and then as many as there were at most come again. `start` starts a system:
    what another measurement has taken and given back would not be seen to be taken.
    """
    table = Table(
        "memory",
        "Memory of a web process",
        ("what", "count", "MB before", "MB with all", "KiB each", "MB when all have left", "MB with as many again"),
    )
    table.begin()
    for what, counts in ((VIEWERS, viewers), (STREAMS, streams)):
        with start() as system:
            stage.watch(system, viewers=10, words=5)  # what is imported or made at the first time
            before = megabytes(system.web)
            held = _held(stage, system, what, counts)
            time.sleep(GONE)
            left = megabytes(system.web)
            [again] = _held(stage, system, what, counts[-1:])
        for count, full in zip(counts, held, strict=True):
            came_back = (left, again) if count == counts[-1] else (None, None)
            table.add(what, count, before, full, 1e6 * (full - before) / 1024 / count, *came_back)
    return table


def _held(stage: Stage, system: System, what: str, counts: Sequence[int]) -> list[float]:
    """Megabytes with each of these counts; more come from one to the next. In the end all have left."""
    held, streams, clients, there = [], list[str](), list[LoadClient](), 0
    gate = f"memory {what} {counts}"
    prompt = stage.prompt(WORDS, 0, gate=gate)
    with ExitStack() as loads:
        for count in counts:
            wanted = 1 if what == VIEWERS else count
            new = [system.begin(prompt) for _ in range(wanted - len(streams))]
            streams += new
            each = count - there if what == VIEWERS else 1
            targets = [Target(system.port, system.openings(stream), each) for stream in (new or streams)]
            there = count
            load = loads.enter_context(stage.load(Plan(targets, WORDS)))
            load.wait("attached")
            clients.append(load)
            held.append(megabytes(system.web))
        stage.model.release(gate, len(streams))
        for load in clients:
            load.wait("done")
    return held
