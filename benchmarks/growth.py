"""How each figure grows with its load: the slope of a straight line through it on logarithmic axes.

1 is proportional: twice the load, twice the cost. Less is better than that; more will not hold. What a single delivery
costs is taken times the load, so that all figures are of the whole.
"""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of a table, against another one that says how much there was to do."""

    table: str
    load: str
    figure: str
    each: bool = False
    """Whether the figure is for one unit of the load."""
    of: str | None = None
    """The column that says whose it is."""


FIGURES = (
    Figure("fan-out", "viewers", "CPU µs a delivery", each=True, of="system"),
    Figure("fan-out", "viewers", "p99 ms", of="system"),
    Figure("fan-out", "viewers", "Redis commands a chunk", of="system"),
    Figure("many-streams", "streams", "web CPU µs a delivery", each=True, of="system"),
    Figure("many-streams", "streams", "worker CPU µs a chunk", each=True, of="system"),
    Figure("many-streams", "streams", "p99 ms", of="system"),
    Figure("density", "at once", "cores"),
    Figure("density", "at once", "KiB each", each=True),
    Figure("density", "at once", "p99 ms between chunks"),
    Figure("memory", "count", "KiB each", each=True, of="what"),
)


def growth(folder: Path) -> Table:
    """Of all tables that are in this folder."""
    table = Table("growth", "Growth: slopes on logarithmic axes", ("figure", "of", "from", "to", "slope"))
    table.begin()
    for figure in FIGURES:
        file = folder / f"{figure.table}.json"
        if file.exists():
            for whose, points in _points(json.loads(file.read_text()), figure).items():
                if len(points) > 1:
                    name = f"{figure.table}: {figure.figure}"
                    table.add(name, whose, points[0][0], points[-1][0], slope(points))
    return table


def _points(kept: Mapping[str, Any], figure: Figure) -> dict[str, list[tuple[float, float]]]:
    place = {column: number for number, column in enumerate(kept["columns"])}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in kept["rows"]:
        load, cost = row[place[figure.load]], row[place[figure.figure]]
        whose = str(row[place[figure.of]]) if figure.of else ""
        if load and cost:
            found[whose].append((load, cost * load if figure.each else cost))
    return found


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that fits best (least squares), both axes logarithmic."""
    xs, ys = ([math.log(value) for value in values] for values in zip(*points, strict=True))
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else math.nan
