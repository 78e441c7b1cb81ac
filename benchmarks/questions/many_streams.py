"""Many streams with one viewer each, as when many people chat: what a delivered chunk costs a web process."""

from collections.abc import Iterable

from benchmarks.questions.fan_out import Start
from benchmarks.stage import Stage, System
from benchmarks.table import Table

WORDS, PACE = 40, 0.25  # an answer of ten seconds


def many_streams(stage: Stage, ours: System, systems: Iterable[tuple[Start, int]], counts: Iterable[int]) -> Table:
    """So many answers at once, four chunks a second each. Of the other systems each has its own largest number."""
    wanted = list(counts)
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
    for count in wanted:
        _row(stage, ours, table, count)
    for start, most in systems:
        with start() as system:
            for count in (each for each in wanted if each <= most):
                _row(stage, system, table, count)
    return table


def _row(stage: Stage, system: System, table: Table, count: int) -> None:
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
