"""What web processes and workers both count, under the same names."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from telemetry.exposition import Counter, Exposition, Gauge, summed

OUTCOMES = ("finished", "failed", "cancelled", "interrupted")
PAGE_SIZE = 4096
STATM = Path("/proc/self/statm")


PREFIX = "rejoinder_"
BOTH = ("pubsub_reconnections", "leases_lost", "streams_begun_again", "reaper_saves", "reaper_save_failures")


class Shared:
    """Defines them."""

    def __init__(self, exposition: Exposition) -> None:
        counter = exposition.counter
        self.ended = counter(
            "rejoinder_streams_ended",
            "Streams that have ended, each counted once, by whichever process saved it.",
            outcome=OUTCOMES,
        )
        self.reconnections = counter("rejoinder_pubsub_reconnections", "Times that a pub/sub connection was lost.")
        self.leases_lost = counter(
            "rejoinder_leases_lost", "Streams that nobody wrote any more, ended as interrupted by a reaper."
        )
        self.begun_again = counter(
            "rejoinder_streams_begun_again", "Streams whose worker was gone before the first chunk, queued once more."
        )
        self.reaper_saves = counter("rejoinder_reaper_saves", "Ended streams that a reaper has saved.")
        self.reaper_failures = counter(
            "rejoinder_reaper_save_failures", "Attempts of a reaper to save one that failed."
        )
        self.memory = exposition.gauge(
            "rejoinder_resident_memory_bytes", "Memory of each process, as the system counts it.", of_each=True
        )

    def counters(
        self, reconnections: Callable[[], int], leases_lost: Callable[[], int], begun_again: Callable[[], int]
    ) -> dict[Counter, Callable[[], float]]:
        """Those of them that are counted elsewhere."""
        return {
            self.reconnections: reconnections,
            self.leases_lost: leases_lost,
            self.begun_again: begun_again,
        }

    def gauges(self) -> dict[Gauge, Callable[[], float]]:
        return {self.memory: resident_bytes}

    def totals(self, snapshot: Mapping[str, float], own: Iterable[str]) -> dict[str, int]:
        """What one process has counted of what both count and of these, as it tells all others (presence.py).

        The names are those of the metrics, without `rejoinder_` and `_total`.
        """
        ended = {
            f"streams_ended.{outcome}": int(snapshot[f'{PREFIX}streams_ended_total{{outcome="{outcome}"}}'])
            for outcome in OUTCOMES
        }
        sums = summed(snapshot)
        return {**ended, **{name: int(sums.get(f"{PREFIX}{name}_total", 0)) for name in (*BOTH, *own)}}


def resident_bytes() -> float:
    """The memory of this process; 0 where there is no /proc."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE_SIZE
    except OSError:
        return 0
