"""A table of figures: printed while it grows, and kept as JSON for the plots."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

Cell = str | int | float | None


@dataclass
class Table:
    """`columns` name what each row has; the first ones, which are words, say whose figures they are."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Print the title and the head."""
        print(f"\n## {self.title}\n")
        print(f"| {' | '.join(self.columns)} |")
        print(f"|{' --: |' * len(self.columns)}", flush=True)

    def add(self, *row: Cell) -> None:
        """Print a row, and keep it."""
        self.rows.append(list(row))
        print(f"| {' | '.join(map(shown, row))} |", flush=True)

    def note(self, words: str) -> None:
        """Say something below the table."""
        self.notes.append(words)
        print(f"\n{words}", flush=True)

    def save(self, folder: Path) -> None:
        """As JSON."""
        kept = {"name": self.name, "title": self.title, "columns": list(self.columns), "rows": self.rows}
        (folder / f"{self.name}.json").write_text(json.dumps(kept | {"notes": self.notes}, indent=1))


def shown(cell: Cell) -> str:
    """Three digits that count, and thousands apart."""
    match cell:
        case None:
            return "–"
        case float() if abs(cell) < 1_000:
            return f"{cell:.3g}"
        case float() | int():
            return f"{cell:,.0f}"
    return str(cell)
