"""How it was: samples put into steps of time. Pure: no Redis, no clock.

Totals start anew where Redis has lost them; then what is there counts, as with any counter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telemetry.exposition import WAITING
from telemetry.history import Sample
from telemetry.shared import OUTCOMES
from webapp.operations.schemas import History, Waits


@dataclass(frozen=True, slots=True)
class Span:
    """So many steps of so many seconds, up to now."""

    step: float
    steps: int

    @property
    def seconds(self) -> float:
        return self.step * self.steps


HOUR = Span(60.0, 60)
DAY = Span(1800.0, 48)


@dataclass(slots=True)
class _Step:
    held: dict[str, float] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0  # over which it was counted


def history(span: Span, samples: Sequence[Sample], base: Sample | None, now: Sample) -> History:
    """The steps of this span, from samples of it (oldest first) and one of now.

    `base` is a sample with all totals from about when it began; None where nobody had counted then.
    """
    last = int(now.at // span.step)
    first = last - span.steps + 1
    steps = [_Step() for _ in range(span.steps)]
    before: Sample | None = None
    for sample in (*samples, now):
        place = int(sample.at // span.step) - first
        if 0 <= place < span.steps:
            _add(steps[place], before, sample)
        before = sample
    counted = increase(base.counted if base else {}, now.counted)
    held: Callable[[str], list[float | None]] = lambda name: [step.held.get(name) for step in steps]  # noqa: E731
    rates: Callable[[str], list[float | None]] = lambda name: [_rate(step, name) for step in steps]  # noqa: E731
    return History(
        begins=datetime.fromtimestamp(first * span.step, UTC),
        step=span.step,
        ended={outcome: [step.counted.get(f"streams_ended.{outcome}", 0) for step in steps] for outcome in OUTCOMES},
        deltas=rates("deltas"),
        chunks=rates("chunks"),
        viewers=held("viewers"),
        running=held("running"),
        limit=held("limit"),
        waiting=held("waiting"),
        waits=Waits(
            bounds=[float(bound) for bound in WAITING],
            queue=_spread(counted, "queue_wait"),
            first_token=_spread(counted, "first_token"),
        ),
        counted={name: count for name, count in sorted(counted.items()) if not name.startswith(SPREADS)},
        counting_since=datetime.fromtimestamp(base.at if base else now.at - span.seconds, UTC),
    )


SPREADS = ("queue_wait.", "first_token.")


def increase(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What was counted between two samples."""
    return {
        name: total - before.get(name, 0) if total >= before.get(name, 0) else total for name, total in after.items()
    }


def _add(step: _Step, before: Sample | None, sample: Sample) -> None:
    for name, value in sample.held.items():
        step.held[name] = max(value, step.held.get(name, 0.0))
    if before is not None:
        for name, count in increase(before.counted, sample.counted).items():
            step.counted[name] = step.counted.get(name, 0) + count
        step.seconds += sample.at - before.at


def _rate(step: _Step, name: str) -> float | None:
    return round(step.counted.get(name, 0) / step.seconds, 2) if step.seconds > 0 else None


def _spread(counted: Mapping[str, int], name: str) -> list[int]:
    """Cumulated counts, each less those of the bound before."""
    so_far = [counted.get(f"{name}.{float(bound)}", 0) for bound in WAITING]
    so_far.append(counted.get(f"{name}.+Inf", 0))
    return [after - before for before, after in zip([0, *so_far], so_far, strict=False)]
