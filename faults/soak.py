"""`python -m faults.soak MINUTES`, which is `make soak MINUTES=n`: everything at once, for long, and what grows.

Each round is a storm (families/mixed.py) with new people in it, judged as any fault is. The first web process and the
first worker live through all of it; after each round, and after what was watched has been let go, their memory and
open files are looked at, and the keys in Redis. What grows from round to round is a leak.
"""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from faults.catalogue import Fault
from faults.families.mixed import Storm
from faults.leftovers import held_by, leftovers
from faults.run import Run
from faults.stack import POSTGRESQL, SQLITE, Stack, running_stack
from faults.suite import inject

ROUND = 40.0  # seconds of storm
SETTINGS = {"STREAM_RETENTION": "5"}  # seconds, so that the keys of a round are gone at its end
ENOUGH = 3  # rounds, the first of which warms up
MEMORY, FILES, KEYS = 1.15, 1.3, 1.3  # how much the last third of the rounds may have more than the first
HEADER = ("round", "faults", "answers", "words", "lost", "web MB", "worker MB", "redis MB", "files", "keys")
ROOM = {"files": 10, "keys": 10}  # what may come and go, however little there is


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is after a round."""

    web_mb: float
    worker_mb: float
    redis_mb: float
    web_files: int
    worker_files: int
    keys: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.soak", description="Everything at once, for long.")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats a run; default: a new one")
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], default=SQLITE)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: nothing that was started stays behind
    print(f"seed {arguments.seed}, {arguments.database}\n")
    print("".join(f"{each:>11}" for each in HEADER))
    complaints: list[str] = []
    samples: list[Sample] = []
    deadline = time.monotonic() + 60 * arguments.minutes
    folder = Path(tempfile.mkdtemp(prefix="rejoinder-"))
    with running_stack(folder, arguments.database, settings=SETTINGS) as stack:
        new = held_by(stack)
        while time.monotonic() < deadline:
            row = inject(_round(len(samples)), stack, arguments.seed, 1.0)
            complaints += row.verdict.complaints
            complaints += [f"round {len(samples)}: {left}" for left in leftovers(stack, new)]
            samples.append(sample := _sample(stack))
            harm = row.verdict.damage
            lost = harm.lost + harm.repeated + harm.reordered + harm.garbled + row.verdict.wrong_endings
            megabytes = [f"{each:.0f}" for each in (sample.web_mb, sample.worker_mb, sample.redis_mb)]
            files = f"{sample.web_files}+{sample.worker_files}"
            told = [len(samples), row.times, row.streams, row.verdict.words, lost, *megabytes, files, sample.keys]
            print("".join(f"{each!s:>11}" for each in told), flush=True)
            for complaint in row.verdict.complaints:
                print(f"    {complaint}", flush=True)
    complaints += growth(samples)
    grows = "nothing grows" if len(samples) > ENOUGH else "there were too few rounds to see whether anything grows"
    print("\n".join(["", *complaints] if complaints else ["", f"Nothing was lost, and {grows}."]))
    if not complaints:
        shutil.rmtree(folder)
        return 0
    print(
        f"The logs of all processes are in {folder}. The same choices again: python -m faults.soak"
        f" {arguments.minutes:g} --seed {arguments.seed} --database {arguments.database}",
        file=sys.stderr,
    )
    return 1


def growth(samples: Sequence[Sample]) -> list[str]:
    """What has grown from the first third of the rounds to the last, in words. The first is not among them: it warms
    up."""
    settled = samples[1:]
    third = len(settled) // 3
    if third == 0:
        return []
    complaints = []
    for name in Sample.__dataclass_fields__:
        first, last = (median(getattr(each, name) for each in part) for part in (settled[:third], settled[-third:]))
        kind = name.rpartition("_")[2]
        factor = {"mb": MEMORY, "files": FILES, "keys": KEYS}[kind]
        if last > first * factor + ROOM.get(kind, 0):
            complaints.append(f"{name.replace('_', ' ')} grow: from {first:.0f} to {last:.0f}")
    return complaints


def _round(number: int) -> Fault:
    def storm(run: Run) -> None:
        Storm(run).rage(ROUND)

    return Fault("mixed", f"round {number}", "", "nothing", storm, long=True, often=False, replaces=False)


def _sample(stack: Stack) -> Sample:
    held = held_by(stack)
    redis = stack.redis.info("memory")["used_memory"] / 1e6
    ours = sum(1 for _ in stack.redis.scan_iter("rejoinder:*", count=1000))
    return Sample(held.web.megabytes, held.worker.megabytes, redis, held.web.files, held.worker.files, ours)


if __name__ == "__main__":
    sys.exit(main())
