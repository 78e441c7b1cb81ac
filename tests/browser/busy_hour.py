"""An hour that was busy, made up, for pictures: what is before now in the plots of the operations page."""

import json
import math
import random
from dataclasses import asdict

import redis

from telemetry.exposition import WAITING
from telemetry.history import DAY, HOUR, Sample
from telemetry.presence import TOTALS
from telemetry.shared import OUTCOMES

USUAL = {"finished": 0.2, "cancelled": 0.02, "interrupted": 0.005, "failed": 0.01}  # endings in a second
TROUBLE = {"failed": range(190, 205), "interrupted": range(100, 112)}  # samples ago: a model, and a worker
NOBODY_TOOK_NOTE = range(250, 262)
QUEUE = (210, 130, 60, 22, 9, 4, 6, 2, 0, 0, 0, 0, 0, 0, 0)
FIRST_WORD = (0, 2, 10, 40, 90, 120, 80, 50, 30, 11, 4, 1, 0, 0, 0)
COUNTED = {
    "attaches": 1840,
    "resumes": 612,
    "resume_saved_bytes": 8_421_733,
    "delivered_bytes": 61_733_112,
    "gaps": 4,
    "blocked_writes": 31,
    "generations_started": 470,
    "streams_begun_again": 1,
    "leases_lost": 2,
    "reaper_saves": 3,
    "http_limited": 18,
    "socket_refusals": 6,
    "model_refusals": 12,
}


def make_up(client: "redis.Redis") -> None:
    """Put it into Redis. Before any process has counted much."""
    seconds, _ = client.time()
    chance = random.Random(7)
    counted = dict.fromkeys([*(f"streams_ended.{outcome}" for outcome in OUTCOMES), "deltas", "chunks"], 0)
    first = Sample(seconds - 3600, {}, counted.copy())
    for ago in range(HOUR.length, 0, -1):
        wave = 1 + 0.6 * math.sin(ago / 40) + 0.4 * chance.random()
        running = round(14 * wave)
        for outcome, often in USUAL.items():
            often = 0.4 if ago in TROUBLE.get(outcome, ()) else often * wave
            counted[f"streams_ended.{outcome}"] += chance.random() < often
        counted["deltas"] += running * 380
        held = {"viewers": round(40 * wave), "running": running, "limit": 200, "waiting": 3 * (100 < ago < 115)}
        if ago not in NOBODY_TOOK_NOTE:
            client.lpush(HOUR.key, json.dumps(asdict(Sample(seconds - ago * HOUR.every, held, counted))))
    client.lpush(DAY.key, json.dumps(asdict(first)))
    client.set(f"{DAY.key}:turn", "1", ex=3600)
    for name, count in {
        **counted,
        **COUNTED,
        **_waits("queue_wait", QUEUE),
        **_waits("first_token", FIRST_WORD),
    }.items():
        client.hincrby(TOTALS, name, count)


def _waits(name: str, counts: tuple[int, ...]) -> dict[str, int]:
    so_far = [sum(counts[: place + 1]) for place in range(len(counts))]
    bounds = {f"{name}.{float(bound)}": count for bound, count in zip(WAITING, so_far, strict=True)}
    return {**bounds, f"{name}.+Inf": so_far[-1]}
