"""Runs faults one after the other on one stack, and prints what they cost."""

import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from faults.catalogue import Fault
from faults.invariants import Verdict
from faults.run import Crowd, Measured, Run
from faults.stack import Stack, running_stack

WIDTH = 66  # characters for the name of a fault


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    fault: Fault
    times: int
    streams: int
    viewers: int
    verdict: Verdict
    longest_pause: float
    seconds: float
    measured: Sequence[Measured]
    notes: Sequence[str]

    @property
    def holds(self) -> bool:
        return not self.verdict.complaints


class Suite:
    """`run` prints as it goes."""

    def __init__(self, folder: Path, seed: int, database: str, scale: float) -> None:
        self._folder = folder
        self._scale = scale
        self._seed = seed
        self._database = database

    def run(self, faults: Sequence[Fault]) -> bool:
        """Inject these, each on a stack that works. Returns whether nothing was lost."""
        print(f"seed {self._seed}, {self._database}\n")
        print(_line(*HEADER))
        rows = []
        with running_stack(self._folder, self._database) as stack:
            engine = sqlalchemy.create_engine(stack.database_url, poolclass=sqlalchemy.NullPool)
            for each in faults:
                row = inject(each, stack, engine, self._seed, self._scale)
                print(_line(*_cells(row)), flush=True)
                for complaint in row.verdict.complaints:
                    print(f"    {complaint}", flush=True)
                rows.append(row)
            engine.dispose()
            if not all(row.holds for row in rows):
                print(f"\nNot everything held. Repeat with: python -m faults --seed {self._seed}", file=sys.stderr)
        _print_measured(rows)
        return all(row.holds for row in rows)


def inject(fault: Fault, stack: Stack, engine: sqlalchemy.Engine, seed: int, scale: float) -> Row:
    """Break the stack in this way, mend it, and judge what is left."""
    begun = time.monotonic()
    crowd = Crowd()
    run = Run(stack, crowd, engine, fault.name, seed, scale)
    try:
        try:
            fault.scenario(run)
        except Exception:  # noqa: BLE001  one scenario that fails must not hide what the others would find
            run.complain(f"the scenario itself failed:\n{traceback.format_exc()}")
        stack.heal()
        verdict = run.settle()
        viewers = sum(len(answer.viewers) for answer in run.answers)
        seconds = time.monotonic() - begun
        pause = run.longest_pause
        return Row(fault, run.times, len(run.answers), viewers, verdict, pause, seconds, run.measured, run.notes)
    finally:
        run.close()
        crowd.close()


HEADER = ("times", "streams", "viewers", "words", "lost", "repeated", "reordered", "endings", "pause s", "took s")


def _cells(row: Row) -> tuple[object, ...]:
    harm = row.verdict.damage
    return (
        f"{row.fault.family}: {row.fault.name}",
        row.times,
        row.streams,
        row.viewers,
        row.verdict.words,
        harm.lost,
        harm.repeated,
        harm.reordered + harm.garbled,
        row.verdict.wrong_endings,
        f"{row.longest_pause:.1f}",
        f"{row.seconds:.0f}",
    )


def _line(*cells: object) -> str:
    name, *figures = ("", *cells) if len(cells) == len(HEADER) else cells
    return f"{str(name)[:WIDTH]:<{WIDTH}}" + "".join(f"{figure!s:>10}" for figure in figures)


def _print_measured(rows: Sequence[Row]) -> None:
    for row in rows:
        for each in row.measured:
            verdict = "" if each.holds else "  MISSED"
            print(f"{each.what}: {each.seconds:.2f} s (at most {each.bound:g} s){verdict}")
        for note in row.notes:
            print(note)
