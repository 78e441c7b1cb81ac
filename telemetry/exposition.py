"""Numbers, in the form in which Prometheus reads them.

Two kinds: what is counted as it happens, seldom enough (a request, a generation), and what others count as plain
integers, because it happens too often. Those are looked at here, now and then, and shown as if they were the former.

gunicorn has several processes and any of them may be asked, so each writes its numbers into files of a common folder
(prometheus_client's multiprocess mode, see multiprocess.py). Hence everything here is one of prometheus_client's own
metrics; `Spreads` alone is not, and for processes without such a folder.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from telemetry.multiprocess import FOLDER

__all__ = ["CONTENT_TYPE_LATEST", "Counter", "Exposition", "Gauge", "Histogram", "cumulated", "summed"]

disable_created_metrics()  # type: ignore[no-untyped-call]

WAITING = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
)  # seconds, as people and models wait
MOST_NAMES = 100  # values of one label that come from outside; each is a time series for ever


class Spread(Protocol):
    """How often what was measured was at most each of some bounds, and beyond the last."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float


class Exposition:
    """All that one kind of process shows."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._single: list[Counter | Gauge] = []  # those whose series are one number each
        self._counted: dict[Counter, tuple[Callable[[], float], float]] = {}
        self._looked_at: dict[Gauge, Callable[[], float]] = {}

    def counter(self, name: str, what: str, **values: Iterable[str]) -> Counter:
        """Named without `_total`. `values`: its label, if it has one, and those of its values that are known before."""
        made = Counter(name, what, list(values), registry=self._registry)
        self._single.append(made)
        if len(values) == 1:
            [(label, known)] = values.items()
            for value in known:
                made.labels(**{label: value})
        return made

    def gauge(self, name: str, what: str, *, of_each: bool = False) -> Gauge:
        """The sum of all processes, or `of_each` its own."""
        mode = "liveall" if of_each else "livesum"
        made = Gauge(name, what, registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]
        self._single.append(made)
        return made

    def histogram(
        self, name: str, what: str, labels: Sequence[str] = (), buckets: Sequence[float] = WAITING
    ) -> Histogram:
        return Histogram(name, what, labels, registry=self._registry, buckets=buckets)

    def spreads(self, described: Mapping[tuple[str, str], Spread]) -> None:
        """Show these, each by its name and what it is."""
        self._registry.register(_Spreads(described))

    def watch(
        self, counters: Mapping[Counter, Callable[[], float]], gauges: Mapping[Gauge, Callable[[], float]]
    ) -> None:
        """Have these show what is counted elsewhere. Replaces what was watched."""
        self._counted = {counter: (read, 0) for counter, read in counters.items()}
        self._looked_at = dict(gauges)

    def update(self) -> None:
        """Look at what is counted elsewhere."""
        for counter, (read, seen) in self._counted.items():
            now = read()
            if now > seen:
                counter.inc(now - seen)
                self._counted[counter] = read, now
        for gauge, read in self._looked_at.items():
            gauge.set(read())

    def text(self) -> bytes:
        """What Prometheus reads: of all processes that share the folder, or of this one."""
        self.update()
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def snapshot(self) -> dict[str, float]:
        """The numbers of this process alone, by name and labels as Prometheus writes them; of a histogram, sum and
        count."""
        self.update()
        return _numbers(self._registry.collect())

    def counted(self) -> dict[str, float]:
        """As `snapshot`, of counters and gauges alone: far less work where histograms have many labels."""
        self.update()
        return _numbers(metric for each in self._single for metric in each.collect())


def summed(snapshot: Mapping[str, float]) -> dict[str, float]:
    """Of a snapshot, what goes by each name, whatever its labels."""
    sums: dict[str, float] = {}
    for each, value in snapshot.items():
        name = each.partition("{")[0]
        sums[name] = sums.get(name, 0.0) + value
    return sums


def cumulated(histogram: Histogram) -> dict[str, int]:
    """How often it was at most each of its bounds, whatever its labels; `+Inf`: how often at all."""
    counts: dict[str, int] = {}
    for metric in histogram.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket"):
                bound = sample.labels["le"]
                counts[bound] = counts.get(bound, 0) + int(sample.value)
    return counts


class Names:
    """Keeps a label that comes from outside from having more values than can be kept."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        if name not in self._known and len(self._known) >= MOST_NAMES:
            return "other"
        self._known.add(name)
        return name


class _Spreads:
    def __init__(self, described: Mapping[tuple[str, str], Spread]) -> None:
        self._described = described

    def collect(self) -> Iterable[Metric]:
        for (name, what), spread in self._described.items():
            bounds, so_far, buckets = [*map(str, spread.bounds), "+Inf"], 0, []
            for bound, count in zip(bounds, list(spread.counts), strict=True):
                so_far += count
                buckets.append((bound, so_far))
            family = HistogramMetricFamily(name, what)
            family.add_metric([], buckets, spread.total)
            yield family


def _numbers(metrics: Iterable[Metric]) -> dict[str, float]:
    return {
        _name(sample.name, sample.labels): sample.value
        for metric in metrics
        for sample in metric.samples
        if not sample.name.endswith("_bucket")
    }


def _name(name: str, labels: Mapping[str, str]) -> str:
    return name + ("{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}" if labels else "")
