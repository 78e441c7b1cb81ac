"""Many streams with one viewer each, as when many people chat: what a delivered chunk costs a web process."""

from collections.abc import Sequence

from benchmarks.stage import Stage, System
from benchmarks.table import Table

WORDS, PACE = 40, 0.25  # an answer of ten seconds


def many_streams(stage: Stage, systems: Sequence[System], counts: Sequence[int]) -> Table:
    """So many answers at once, four chunks a second each."""
    table = Table(
        "many-streams",
        f"Many streams: one viewer each, {1 / PACE:g} chunks a second each",
        (
            "system",
            "streams",
            "whole",
            "web CPU µs a delivery",
            "worker CPU µs a chunk",
            "both",
            "p50 ms",
            "p99 ms",
            "Redis connections",
            "subscribers",
        ),
    )
    table.begin()
    for system in systems:
        for count in counts:
            report, spent = stage.watch(system, streams=count, words=WORDS, pace=PACE)
            web, workers = (1e6 * each / report.deliveries for each in (spent.web, spent.workers))
            table.add(
                system.name,
                count,
                report.whole,
                web,
                workers,
                web + workers,
                report.p50,
                report.p99,
                spent.connections,
                spent.subscribers,
            )
    return table
