"""One web process uses one core: what a second one adds."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.load import Plan, Report, Target
from benchmarks.stage import Stage, System, cpu_seconds
from benchmarks.table import Table

CLIENTS = 3_000
WORDS = 20

Start = Callable[[int], AbstractContextManager[System]]


def processes(stage: Stage, start: Start) -> Table:
    """So many clients come as fast as they are let in, which costs a web process much and a client next to nothing.

    What is delivered while a stream is written would measure the load client instead, which takes more for a chunk than
    a web process does.
    """
    table = Table(
        "processes",
        f"Web processes: {CLIENTS:,} clients that come at once",
        ("web processes", "whole", "clients a second", "× one process", "web CPU ms a client", "of the load client"),
    )
    table.begin()
    one = None
    for count in (1, 2):
        with start(count) as system:
            stage.watch(system, viewers=50 * count, words=5)  # what is imported or made at the first time
            rate, spent, report = _come(stage, system)
        one = one or rate
        table.add(count, report.whole, rate, rate / one, 1000 * spent / CLIENTS, 1000 * report.cpu / CLIENTS)
    return table


def _come(stage: Stage, system: System) -> tuple[float, float, Report]:
    """Clients a second, the seconds of CPU of the web processes, and what came."""
    stream = system.begin(stage.prompt(WORDS, 0))
    stage.watch(system, words=5)  # by then that one has ended too
    spent = cpu_seconds(system.web)
    with stage.load(Plan([Target(system.port, system.openings(stream), CLIENTS)], WORDS)) as load:
        load.wait("attached")
        load.wait("done")
        spent = cpu_seconds(system.web) - spent
        report = load.report()
    return CLIENTS / (report.attach_last / 1000), spent, report
