"""How it was: a sample of what all processes together hold and have counted, now and then, in Redis.

One ring has the last hour, and one the last day. Of all web processes, whoever comes first when the time has come takes
the sample; the others find that it is taken. What was counted between two samples is the difference of their totals.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from redis import Redis


@dataclass(frozen=True, slots=True)
class Ring:
    """A list of samples in Redis, the newest first."""

    name: str
    every: float
    """Seconds between two."""
    length: int

    @property
    def key(self) -> str:
        return f"rejoinder:samples:{self.name}"


HOUR = Ring("hour", 10.0, 360)
DAY = Ring("day", 300.0, 289)  # one more, from which the first of a day is counted
EARLY = 0.95  # of that time after which the next one may be taken, so that none is left out


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment, in seconds since 1970."""

    at: float
    held: Mapping[str, float]
    """What there was of each, of all processes together."""
    counted: Mapping[str, int]
    """The totals."""

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Raises ValueError for what is none."""
        try:
            told = json.loads(text)
            held = {str(name): float(value) for name, value in told["held"].items()}
            sample = cls(float(told["at"]), held, {str(name): int(count) for name, count in told["counted"].items()})
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"no sample: {text[:80]!r}") from error
        if not all(map(math.isfinite, (sample.at, *held.values()))):
            raise ValueError(f"no sample: {text[:80]!r}")
        return sample


class Sampler:
    """Takes samples when it is time. `measure` is what to take, for a ring."""

    def __init__(self, redis: Redis, measure: Callable[[Ring], Sample]) -> None:
        self._redis = redis
        self._measure = measure

    def look(self) -> None:
        """Take those that are due and that nobody else takes. Raises redis.RedisError."""
        for ring in (HOUR, DAY):
            if self._redis.set(f"{ring.key}:turn", "1", nx=True, px=int(ring.every * EARLY * 1000)):
                text = json.dumps(asdict(self._measure(ring)), separators=(",", ":"))
                pipeline = self._redis.pipeline(transaction=False)
                pipeline.lpush(ring.key, text)
                pipeline.ltrim(ring.key, 0, ring.length - 1)
                pipeline.expire(ring.key, int(ring.every * ring.length))
                pipeline.execute()


def read_samples(redis: Redis, ring: Ring, seconds: float) -> list[Sample]:
    """Those of the last seconds, and one more before them if there is; the oldest first. Raises redis.RedisError."""
    found: list[Any] = redis.lrange(ring.key, 0, int(seconds / ring.every))
    samples = []
    for text in reversed(found):
        try:
            samples.append(Sample.read(text))
        except ValueError:  # of another version
            continue
    return samples
