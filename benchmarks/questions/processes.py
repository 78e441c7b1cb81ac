"""One web process uses one core: what a second one adds."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.load import Plan, Target
from benchmarks.stage import Stage, System, cpu_seconds
from benchmarks.table import Table

STREAMS, CLIENTS_EACH = 200, 15
CLIENTS = STREAMS * CLIENTS_EACH
WORDS = 20

Start = Callable[[int], AbstractContextManager[System]]


def processes(stage: Stage, start: Start) -> Table:
    """Clients of many streams come as fast as they are let in, which costs a web process much and a client little.

    What is delivered while a stream is written would measure the load client instead, which takes more for a chunk than
    a web process does.
    """
    table = Table(
        "processes",
        f"Web processes: {CLIENTS:,} clients that come at once, to {STREAMS} streams",
        (
            "web processes",
            "whole",
            "clients a second",
            "× one",
            "web cores",
            "load client's cores",
            "web CPU ms a client",
        ),
    )
    table.begin()
    one = None
    for count in (1, 2):
        with start(count) as system:
            asked = [system.begin(stage.prompt(WORDS, 0)) for _ in range(STREAMS)]
            system.check(asked, WORDS)
            stage.watch(system, viewers=50 * count, words=5)  # what is imported or made at the first time
            spent = cpu_seconds(system.web)
            targets = [Target(system.port, system.openings(stream), CLIENTS_EACH) for stream in asked]
            with stage.load(Plan(targets, WORDS)) as load:
                load.wait("attached")
                load.wait("done")
                spent = cpu_seconds(system.web) - spent
                report = load.report()
        seconds = report.attach_last / 1000
        one = one or CLIENTS / seconds
        table.add(
            count,
            report.whole,
            CLIENTS / seconds,
            CLIENTS / seconds / one,
            spent / seconds,
            report.cpu_in_all / seconds,
            1000 * spent / CLIENTS,
        )
    return table
