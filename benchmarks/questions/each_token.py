"""One viewer of one stream on an idle machine: how much later each chunk comes than straight from the model."""

from collections.abc import Iterable

from benchmarks.questions.fan_out import Start
from benchmarks.stage import Stage
from benchmarks.table import Table

WORDS, PACE = 400, 0.02


def each_token(stage: Stage, systems: Iterable[Start]) -> Table:
    """The first system is the one that the others are compared with."""
    table = Table(
        "each-token",
        f"Each token: one viewer, {1 / PACE:g} chunks a second, on an idle machine",
        ("system", "whole", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms"),
    )
    table.begin()
    base = None
    for start in systems:
        with start() as system:
            stage.watch(system, words=20)
            report, _ = stage.watch(system, words=WORDS, pace=PACE)
            base = base or report
            added = (report.p50 - base.p50, report.p99 - base.p99)
            table.add(system.name, report.whole, report.p50, report.p99, *added)
    return table
