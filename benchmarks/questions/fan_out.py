"""Many viewers of one stream: what a delivered chunk costs the web process, how late it is, and what Redis does."""

from collections.abc import Sequence

from benchmarks.stage import Stage, System
from benchmarks.table import Table

RATE = 50  # chunks a second
DELIVERIES = 2_000_000  # of one run, at most: what saturates is measured for less time
LONGEST, SHORTEST = 200, 50  # words


def fan_out(stage: Stage, systems: Sequence[System], viewers: Sequence[int]) -> Table:
    """One stream, so many viewers, 50 chunks a second."""
    table = Table(
        "fan-out",
        f"Fan-out: one stream, {RATE} chunks a second",
        (
            "system",
            "viewers",
            "whole",
            "CPU µs a delivery",
            "× floor",
            "p50 ms",
            "p99 ms",
            "MB/s",
            "Redis commands a chunk",
            "Redis connections",
            "subscribers",
            "client CPU µs",
        ),
    )
    table.begin()
    floor: dict[int, float] = {}
    for system in systems:
        for count in viewers:
            words = max(SHORTEST, min(LONGEST, DELIVERIES // count // RATE))
            report, spent = stage.watch(system, viewers=count, words=words, pace=1 / RATE)
            cost = 1e6 * spent.web / report.deliveries
            if system.name == "floor":
                floor[count] = cost
            table.add(
                system.name,
                count,
                report.whole,
                cost,
                cost / floor[count] if floor.get(count) else None,
                report.p50,
                report.p99,
                report.bytes / 1e6 / (words / RATE),
                spent.commands / words,
                spent.connections,
                spent.subscribers,
                1e6 * report.cpu / report.deliveries,
            )
    return table
