"""Draws the tables of `make bench`: `python draw.py FOLDER`, in an environment that has matplotlib.

Of each FOLDER/<question>.json there is an FOLDER/<question>.svg beside it afterwards.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "the same picture of the same figures"

import matplotlib.pyplot as plt  # noqa: E402  after the choice above

# Of each question: what is along, and what is drawn against it. Lines for what has a load, bars for what has none.
PLOTS: dict[str, tuple[str | None, list[str]]] = {
    "fan-out": ("viewers", ["CPU µs a delivery", "p99 ms", "Redis commands a chunk"]),
    "many-streams": ("streams", ["web CPU µs a delivery", "both", "p99 ms"]),
    "first-token": (None, ["p50 ms", "p99 ms"]),
    "each-token": (None, ["added p50 ms", "added p99 ms"]),
    "density": ("at once", ["cores", "KiB each", "p99 ms between chunks"]),
    "attach": ("missing", ["ms to the last", "bytes a client"]),
    "processes": (None, ["clients a second", "web CPU ms a client"]),
    "start-up": (None, ["ms", "MB"]),
    "memory": ("count", ["MB with all", "KiB each"]),
}
WIDTH, HEIGHT = 4.6, 3.6  # inches, of one drawing


def main(folder: Path) -> None:
    for name, (along, figures) in PLOTS.items():
        file = folder / f"{name}.json"
        if not file.exists():
            continue
        kept = json.loads(file.read_text())
        drawing, axes = plt.subplots(1, len(figures), figsize=(WIDTH * len(figures), HEIGHT), layout="constrained")
        for axis, figure in zip([axes] if len(figures) == 1 else axes, figures, strict=True):
            if along:
                lines(axis, kept, along, figure)
            else:
                bars(axis, kept, figure)
        drawing.suptitle(kept["title"])
        drawing.savefig(folder / f"{name}.svg", metadata={"Date": None})
        plt.close(drawing)


def lines(axis: Any, kept: dict[str, Any], along: str, figure: str) -> None:
    """One for each system, on logarithmic axes: a straight one is proportional."""
    x, y = kept["columns"].index(along), kept["columns"].index(figure)
    whose: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in kept["rows"]:
        if row[x] and row[y]:
            whose[label(kept, row, along)].append((row[x], row[y]))
    everyone = list(dict.fromkeys(label(kept, row, along) for row in kept["rows"]))
    for name, points in whose.items():  # in the same colour in every drawing
        axis.plot(*zip(*points, strict=True), marker="o", label=name, color=f"C{everyone.index(name)}")
    axis.set(xscale="log", yscale="log", xlabel=along, ylabel=figure)
    axis.grid(alpha=0.3, which="both")
    if any(whose):
        axis.legend(fontsize="small")


def bars(axis: Any, kept: dict[str, Any], figure: str) -> None:
    """One for each row."""
    y = kept["columns"].index(figure)
    names = [label(kept, row, "") for row in kept["rows"]]
    axis.barh(names, [row[y] or 0 for row in kept["rows"]])
    axis.invert_yaxis()
    axis.set(xlabel=figure)
    axis.grid(axis="x", alpha=0.3)


def label(kept: dict[str, Any], row: list[Any], along: str) -> str:
    """Whose figures a row has: its first columns that are words, and what else tells it from others."""
    words = ("system", "what", "process")
    told = (*words, "other answers", "chunks", "clients", "web processes")
    return ", ".join(
        str(value) if column in words else f"{value:,} {column}"
        for column, value in zip(kept["columns"], row, strict=True)
        if column in told and column != along
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
