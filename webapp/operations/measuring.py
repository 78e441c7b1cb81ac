"""What a sample of the history holds (telemetry/history.py)."""

from collections.abc import Sequence

from redis import Redis
from rq import Queue

from telemetry.history import DAY, Ring, Sample
from telemetry.presence import Process, call_roll
from telemetry.shared import OUTCOMES

PLOTTED = (*(f"streams_ended.{outcome}" for outcome in OUTCOMES), "deltas", "chunks")  # the ring of a day has all


def measure(redis: Redis, queue: Queue, ring: Ring) -> Sample:
    """Now. Raises redis.RedisError."""
    roll = call_roll(redis)
    counted = roll.totals if ring is DAY else {name: roll.totals.get(name, 0) for name in PLOTTED}
    return Sample(roll.now, held(roll.processes, queue.count), counted)


def held(processes: Sequence[Process], waiting: int) -> dict[str, float]:
    """What all of these hold together, and how many jobs wait for them."""
    return {
        "viewers": total(processes, "viewers"),
        "running": total(processes, "generations_running"),
        "limit": total(processes, "generations_limit"),
        "waiting": waiting,
    }


def total(processes: Sequence[Process], name: str) -> float:
    """The sum over those that have it."""
    return sum(process.numbers.get(name, 0) for process in processes)
