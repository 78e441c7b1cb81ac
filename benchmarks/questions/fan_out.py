"""Many viewers of one stream: what a delivered chunk costs the web process, how late it is, and what Redis does."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from benchmarks.load import Plan, Report, Target
from benchmarks.peers.floor import Floor, running_floor
from benchmarks.stage import Stage, System
from benchmarks.table import Table

RATE = 50  # chunks a second
DELIVERIES = 200_000  # of one run, about
BUSY = 10.0  # seconds of CPU, about: what saturates a core is measured for less time
LONGEST, SHORTEST = 200, 40  # words
WARM_UP = 20  # words

Start = Callable[[], AbstractContextManager[System]]


def fan_out(stage: Stage, ours: System, systems: Iterable[tuple[Start, int]], viewers: Iterable[int]) -> Table:
    """One stream, so many viewers, 50 chunks a second. Of the other systems each has its own largest number."""
    counts = list(viewers)
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
            "bytes a delivery",
            "Redis commands a chunk",
            "Redis connections",
            "subscribers",
            "client CPU µs",
        ),
    )
    table.begin()
    report, _ = stage.watch(ours, words=WARM_UP)
    payload = round(report.bytes / WARM_UP)
    floor: dict[int, float] = {}
    for count in counts:
        report, cpu = _floor(stage, count, payload)
        floor[count] = 1e6 * cpu / report.deliveries
        _add(table, "floor", count, report, floor[count], 1.0)
    _rows(stage, ours, table, counts, floor)
    for start, most in systems:
        with start() as system:
            stage.watch(system, words=WARM_UP)
            _rows(stage, system, table, [each for each in counts if each <= most], floor)
    return table


def _words(viewers: int, cost: float = 0.0) -> int:
    """How many to measure, where a delivery has cost so many microseconds with fewer viewers."""
    wanted = min(DELIVERIES / viewers, BUSY / (1e-6 * cost * viewers) if cost else LONGEST)
    return max(SHORTEST, min(LONGEST, int(wanted)))


def _rows(stage: Stage, system: System, table: Table, counts: Iterable[int], floor: dict[int, float]) -> None:
    cost = 0.0
    for count in counts:
        words = _words(count, cost)
        report, spent = stage.watch(system, viewers=count, words=words, pace=1 / RATE)
        cost = 1e6 * spent.web / report.deliveries
        redis = (spent.commands / words, spent.connections, spent.subscribers)
        _add(table, system.name, count, report, cost, cost / floor[count], *redis)


def _add(
    table: Table,
    name: str,
    count: int,
    report: Report,
    cost: float,
    ratio: float,
    commands: float | None = None,
    connections: int | None = None,
    subscribers: int | None = None,
) -> None:
    table.add(
        name,
        count,
        report.whole,
        cost,
        ratio,
        report.p50,
        report.p99,
        report.bytes / report.deliveries,
        commands,
        connections,
        subscribers,
        1e6 * report.cpu / report.deliveries,
    )


def _floor(stage: Stage, count: int, payload: int) -> tuple[Report, float]:
    """The same bytes to as many sockets, by a bare loop."""
    words = _words(count)
    with running_floor(count) as floor:
        return _watch_floor(stage, floor, Plan([Target(floor.port, [b""], count)], words, at_once=count), payload)


def _watch_floor(stage: Stage, floor: Floor, plan: Plan, payload: int) -> tuple[Report, float]:
    with stage.load(plan) as load:
        floor.wait_for("accepted")
        took = floor.answer(payload, plan.words, 1 / RATE)
        load.wait("attached")
        load.wait("done")
        return load.report(), took["cpu"] * (plan.words - 1) / plan.words
