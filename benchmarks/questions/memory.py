"""What a web process holds for a viewer and for a stream, and that it lets go of it."""

import time
from collections.abc import Sequence

from benchmarks.load import Plan, Target
from benchmarks.stage import Stage, System, megabytes
from benchmarks.table import Table

WORDS = 20
GONE = 35.0  # seconds, a part of what is measured: a stream that nobody watches is held for 30, and then let go


def memory(stage: Stage, system: System, counts: Sequence[int]) -> Table:
    """Viewers of one stream, and then as many streams with one viewer each; all idle."""
    table = Table(
        "memory",
        "Memory of a web process",
        ("what", "count", "MB before", "MB with all", "KiB each", "MB when all have left"),
    )
    table.begin()
    stage.watch(system, viewers=max(counts), words=5)  # what is taken once is taken
    time.sleep(GONE)
    for count in counts:
        for what, streams, viewers in (("viewers of one stream", 1, count), ("streams, a viewer each", count, 1)):
            gate = f"memory {what} {count}"
            prompt = stage.prompt(WORDS, 0, gate=gate)
            before = megabytes(system.web)
            asked = [system.begin(prompt) for _ in range(streams)]
            targets = [Target(system.port, system.openings(each), viewers) for each in asked]
            with stage.load(Plan(targets, WORDS)) as load:
                load.wait("attached")
                held = megabytes(system.web)
                stage.model.release(gate, streams)
                load.wait("done")
            time.sleep(GONE)
            table.add(what, count, before, held, 1e6 * (held - before) / 1024 / count, megabytes(system.web))
    return table
