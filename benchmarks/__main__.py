"""`python -m benchmarks`, which is `make bench`: what resuming costs, beside others, in one run.

Everything is measured on one machine, on the same Redis, with the same scripted model and the same load client, so what
the rows of a table have to say is how they compare.
"""

import argparse
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path

import psutil

from benchmarks.growth import growth
from benchmarks.ours import Ours, running_ours
from benchmarks.peers import environments
from benchmarks.peers.catalogue import DIRECT, NAIVE, PEERS
from benchmarks.questions.attach import attach
from benchmarks.questions.density import density
from benchmarks.questions.each_token import each_token
from benchmarks.questions.fan_out import Start, fan_out
from benchmarks.questions.first_token import first_token
from benchmarks.questions.many_streams import many_streams
from benchmarks.questions.memory import memory
from benchmarks.questions.processes import processes
from benchmarks.questions.start_up import start_up
from benchmarks.stage import Stage, running_stage
from benchmarks.table import Table
from benchmarks.theirs import running_theirs

BENCHMARKS = Path(__file__).parent
RESULTS = BENCHMARKS.parent / ".local" / "benchmarks" / "results"

Question = Callable[[Stage], Table]

AT_ONCE = 100  # answers that the naive system writes at most: each is a process


def peers(stage: Stage, most: int, *, naive: int | None = None) -> list[tuple[Start, int]]:
    """Those that are followed, each with the largest number that it is asked for."""
    return [
        (partial(running_theirs, stage, peer, workers=naive or 1), min(most, naive or most) if peer is NAIVE else most)
        for peer in PEERS
        if peer.is_followed
    ]


def beside(stage: Stage, ours: Ours) -> list[Start]:
    """Direct first, which others are compared with; then ours, and the others."""
    others = [start for start, _ in peers(stage, 1)]
    return [partial(running_theirs, stage, DIRECT), lambda: nullcontext(ours), *others]


def with_ours(question: Callable[[Stage, Ours], Table]) -> Question:
    """A question to one running system of ours."""

    def ask(stage: Stage) -> Table:
        with running_ours(stage) as ours:
            return question(stage, ours)

    return ask


QUESTIONS: dict[str, Question] = {
    "fan-out": with_ours(lambda stage, ours: fan_out(stage, ours, peers(stage, 1_000), (1, 10, 100, 1_000, 5_000))),
    "many-streams": with_ours(
        lambda stage, ours: many_streams(stage, ours, peers(stage, 1_000, naive=AT_ONCE), (10, 100, 1_000))
    ),
    "first-token": with_ours(lambda stage, ours: first_token(stage, beside(stage, ours), loaded=["direct", ours.name])),
    "each-token": with_ours(lambda stage, ours: each_token(stage, beside(stage, ours))),
    "density": with_ours(lambda stage, ours: density(stage, ours, (1, 10, 100, 500, 1_000))),
    "attach": with_ours(lambda stage, ours: attach(stage, ours, (100, 10_000, 100_000))),
    "processes": lambda stage: processes(stage, lambda webs: running_ours(stage, webs=webs)),
    "start-up": start_up,
    "memory": lambda stage: memory(stage, partial(running_ours, stage), (100, 1_000, 5_000), (100, 1_000)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(QUESTIONS)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.questions) - set(QUESTIONS)
    if unknown:
        parser.error(f"no such question: {', '.join(sorted(unknown))}; there are {', '.join(QUESTIONS)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}")
    for name in arguments.questions or QUESTIONS:
        begun = time.monotonic()
        with ExitStack() as services:
            folder = Path(services.enter_context(tempfile.TemporaryDirectory(prefix="rejoinder-")))
            stage = services.enter_context(running_stage(folder))
            QUESTIONS[name](stage).save(RESULTS)
        print(f"\n{name} took {time.monotonic() - begun:.0f} s")
    growth(RESULTS).save(RESULTS)
    draw(RESULTS)


def draw(folder: Path) -> None:
    """A picture beside each table."""
    environments.install_python("plots", BENCHMARKS)
    subprocess.run(
        [environments.folder("plots") / "bin" / "python", BENCHMARKS / "plots" / "draw.py", folder], check=True
    )
    print(f"\nTables and pictures are in {folder}")


def machine() -> str:
    """On what this runs, and what else did."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(": ")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = models[0] if models else processor
    load = os.getloadavg()[0]
    return f"{psutil.cpu_count()} × {processor}, Python {platform.python_version()}, load {load:.1f} before"


if __name__ == "__main__":
    main()
