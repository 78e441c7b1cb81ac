"""What has happened so far in one process: plain integers, for whoever runs it.

Rule: the object that knows adds to them, once a batch, never once a viewer; they only grow, and nobody here reads them.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

FLUSH_ENTRIES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
FLUSH_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Spread:
    """How often what was measured was at most each of some bounds, and beyond the last."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Followed:
    """By the viewers of a hub. Bytes are those of the entries: before frames are made of them, and compressed."""

    attached: int = 0
    resumed: int = 0
    """Of those, how many had some of the text already, and went on from there."""
    saved_bytes: int = 0
    """…and what they had, which was not sent again."""
    delivered: int = 0
    """Batches, each to one viewer: in nearly all cases one frame."""
    delivered_bytes: int = 0
    gaps: int = 0
    """Times that notifications were missed, and read from the list."""
    gap_entries: int = 0


@dataclass(slots=True)
class Written:
    """By the writers of a process, into Redis."""

    deltas: int = 0
    characters: int = 0
    entries: int = 0
    """Of these three, what is not said by the writers that are open."""
    lost_entries: int = 0
    """Redis had them, and lost them: they are written again."""
    failures: int = 0
    """Calls that were not answered; each is tried again."""
    flush_entries: Spread = field(default_factory=lambda: Spread(FLUSH_ENTRIES))
    flush_seconds: Spread = field(default_factory=lambda: Spread(FLUSH_SECONDS))


@dataclass(slots=True)
class Reaped:
    """By the reaper of a process."""

    leases_lost: int = 0
    """Streams that nobody wrote any more, ended as interrupted."""
    saved: int = 0
    save_failures: int = 0
