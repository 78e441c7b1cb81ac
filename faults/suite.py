"""Runs faults one after the other on one stack, and prints what they cost."""

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faults.catalogue import Fault
from faults.invariants import Verdict
from faults.leftovers import held_by, leftovers
from faults.run import Crowd, Measured, Run
from faults.stack import Stack, running_stack

NOTHING_LEFT = "Nothing is left behind: no connection, Tail, subscription, greenlet or key without an expiry."
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
        return not self.verdict.complaints and all(each.holds for each in self.measured)


@dataclass(frozen=True, slots=True)
class Suite:
    """`run` prints as it goes."""

    folder: Path
    seed: int
    database: str
    scale: float
    in_cluster: bool = False
    """Whether streams are in a cluster for all of them, not only for those that break one."""
    markdown: bool = False

    def run(self, faults: Sequence[Fault]) -> bool:
        """Inject these, each on a stack that works. Returns whether nothing was lost, and no bound was missed."""
        print(f"seed {self.seed}, {self.database}{', streams in a cluster' if self.in_cluster else ''}\n")
        line = _markdown if self.markdown else _line
        print(line("fault", *HEADER))
        if self.markdown:
            print(line(*["---"] + ["--:"] * len(HEADER)))
        rows: list[Row] = []
        left: list[str] = []
        for in_cluster in (False, True):
            chosen = [each for each in faults if (each.in_cluster or self.in_cluster) == in_cluster]
            if chosen:
                left += self._inject(chosen, in_cluster, rows, line)
        print(line(*_sums(rows)))
        for row in rows:
            print("".join(f"\n{line}" for line in (*map(str, row.measured), *row.notes)), end="")
        print("\n" + "\n".join(left or [NOTHING_LEFT]))
        holds = not left and all(row.holds for row in rows)
        if not holds:
            print(
                f"Not everything held. The same choices again: python -m faults --seed {self.seed}"
                f" --database {self.database} --scale {self.scale:g}{' --cluster' if self.in_cluster else ''}",
                file=sys.stderr,
            )
        return holds

    def _inject(
        self, faults: Sequence[Fault], in_cluster: bool, rows: list[Row], line: Callable[..., str]
    ) -> list[str]:
        """Adds a row for each. Returns what is left behind."""
        left = []
        folder = self.folder / ("cluster" if in_cluster else "single")
        folder.mkdir()
        with running_stack(folder, self.database, in_cluster=in_cluster) as stack:
            new = held_by(stack)
            for each in faults:
                if each.replaces:
                    left += leftovers(stack, new)
                rows.append(_told(inject(each, stack, self.seed, self.scale), line))
            return left + leftovers(stack, new)


def inject(fault: Fault, stack: Stack, seed: int, scale: float) -> Row:
    """Break the stack in this way, mend it, and judge what is left."""
    begun = time.monotonic()
    crowd = Crowd()
    run = Run(stack, crowd, fault.name, seed, scale)
    try:
        try:
            fault.scenario(run)
        except Exception:  # noqa: BLE001  one scenario that fails must not hide what the others would find
            run.complain(f"the scenario itself failed:\n{traceback.format_exc()}")
        stack.heal()
        verdict = run.settle()
        if not run.times and not run.notes:
            verdict.complaints.append("nothing was broken")
        if run.times and fault.is_logged and not run.operator_was_asked_for:
            verdict.complaints.append(f"nobody looked whether the log says: {fault.operator}")
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


def _sums(rows: Sequence[Row]) -> tuple[object, ...]:
    """The last line: what adds up is added up, and of times there is the longest."""
    columns = list(zip(*(_cells(row)[1:] for row in rows), strict=True))
    sums = [sum(int(str(each)) for each in column) for column in columns[:-2]]
    return "all", *sums, max(columns[-2], key=float), sum(int(str(each)) for each in columns[-1])


def _markdown(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _line(*cells: object) -> str:
    name, *figures = cells
    return f"{str(name)[:WIDTH]:<{WIDTH}}" + "".join(f"{figure!s:>10}" for figure in figures)


def _told(row: Row, line: Callable[..., str]) -> Row:
    print(line(*_cells(row)), flush=True)
    for complaint in row.verdict.complaints:
        print(f"    {complaint}", flush=True)
    return row
