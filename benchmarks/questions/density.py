"""How many generations fit into one worker: memory and CPU for each, whether any starves, and what it sustains."""

from collections.abc import Sequence

from benchmarks.load import Plan, Target
from benchmarks.stage import Stage, System, cpu_seconds, megabytes
from benchmarks.table import Table

WORDS, PACE = 60, 0.2  # an answer of twelve seconds
AS_FAST = 400  # words of an answer of a model that sends as fast as it can
FAST_STREAMS = 50


def density(stage: Stage, system: System, counts: Sequence[int]) -> Table:
    """So many generations at once in one worker, five chunks a second each, each with a viewer."""
    table = Table(
        "density",
        f"Density: generations at once in one worker, {1 / PACE:g} chunks a second each",
        ("at once", "whole", "KiB each", "CPU µs a chunk", "cores", "p99 ms between chunks", "p99 ms late"),
    )
    table.begin()
    stage.watch(system, words=10)
    for count in counts:
        gate = f"density {count}"
        empty = megabytes(system.workers)
        prompt = stage.prompt(WORDS, PACE, gate=gate)
        asked = [system.begin(prompt) for _ in range(count)]
        with stage.load(Plan([Target(system.port, system.openings(each), 1) for each in asked], WORDS)) as load:
            load.wait("attached")
            full = megabytes(system.workers)
            spent = cpu_seconds(system.workers)
            stage.model.release(gate, count)
            load.wait("done")
            spent = cpu_seconds(system.workers) - spent
            report = load.report()
        system.check(asked, WORDS)  # and all jobs have ended: the next ones shall find their places
        table.add(
            count,
            report.whole,
            1e6 * (full - empty) / 1024 / count,
            1e6 * spent / report.deliveries,
            spent / (WORDS * PACE),
            report.gap_p99,
            report.p99,
        )
    report, spent_all = stage.watch(system, streams=FAST_STREAMS, words=AS_FAST, pace=0)
    seconds = spent_all.workers
    table.note(
        f"{FAST_STREAMS} models that send as fast as they can: {report.deliveries:,} chunks for {seconds:.2f} s of the"
        f" worker's CPU, so one core sustains {report.deliveries / seconds:,.0f} a second."
    )
    return table
