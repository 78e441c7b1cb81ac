"""Which processes run, on all machines, and what all of them have counted: each says so in Redis, every few seconds.

What a process is and holds lies beside that of the others, with the moment at which it was said: one that was killed is
heard of no more, and vanishes. What it has counted is added to the totals, which stay when it ends. All of that is one
command, and safe to repeat within an hour: a report has a number, and is added once. The number of the last one is kept
for that long, also of a process that is seen no more.

Times are of Redis's own clock, so no two machines have to agree on one.
"""

import json
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from redis import Redis, RedisError

from telemetry.version import version

log = logging.getLogger(__name__)

PROCESSES = (
    "rejoinder:processes"  # hash, by process: when it was said (ms), the report's number, and JSON while it is seen
)
TOTALS = "rejoinder:totals"  # hash, by name: how many, of all processes that there ever were
SAID_EVERY = 2.0  # seconds
GOOD_FOR = 10.0  # seconds that a report counts; four may be lost
MOST = 2.0**53  # of anything that a process holds
REPEATED = 3600.0  # seconds within which a report may be repeated, and is still added once
LONGEST_TOTAL = 20  # digits; Redis counts no further
LATEST = 2.0**37  # seconds since 1970; after that the calendar of our language ends
KEPT = 8 * 24 * 3600  # seconds that totals are kept when nobody is there to add to them

# KEYS: 1 processes, 2 totals
# ARGV: 1 process, 2 number of the report, 3 JSON, 4 whether it is the last one, 5 seconds that both are kept,
#       then names and what is to be added to them
SAY = """
local time = redis.call('TIME')
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before or string.match(before, '^%d+ (%d+)') ~= ARGV[2] then
    for place = 6, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[place], ARGV[place + 1]) end
    redis.call('EXPIRE', KEYS[2], ARGV[5])
end
local said = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) .. ' ' .. ARGV[2]
if ARGV[4] == '0' then said = said .. ' ' .. ARGV[3] end
redis.call('HSET', KEYS[1], ARGV[1], said)
return redis.call('EXPIRE', KEYS[1], ARGV[5])
"""

# KEYS: 1 processes, 2 totals   ARGV: 1 good for (ms), 2 repeated for (ms)
# Returns {now (ms), {process, what it said, …}, {name, total, …}}. Of who was not heard of for so long, only the number
# of the report is kept, and not even that for ever.
READ = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
local said = redis.call('HGETALL', KEYS[1])
for place = 1, #said, 2 do
    local heard = tonumber(string.match(said[place + 1], '^(%d+) ') or 0)
    local number, more = string.match(said[place + 1], '^(%d+ %d+)(.*)$')
    if now - heard > tonumber(ARGV[2]) then
        redis.call('HDEL', KEYS[1], said[place])
    elseif now - heard > tonumber(ARGV[1]) then
        if number and more ~= '' then redis.call('HSET', KEYS[1], said[place], number) end
    elseif more ~= '' then
        table.insert(alive, said[place])
        table.insert(alive, said[place + 1])
    end
end
return {now, alive, redis.call('HGETALL', KEYS[2])}
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What a process says of itself just now."""

    numbers: Mapping[str, float]
    """What it holds."""
    totals: Mapping[str, int]
    """What it has counted since it began; they only grow."""
    streams: Mapping[str, Any]
    """By stream: what it has to do with it, as JSON holds it."""


@dataclass(frozen=True, slots=True)
class Process:
    """One that was heard of just now."""

    id: str
    kind: str
    host: str
    pid: int
    version: str
    began: float
    """In seconds since 1970, by its own clock."""
    heard: float
    """So many seconds ago."""
    numbers: Mapping[str, float]
    streams: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Roll:
    """All of them."""

    now: float
    """In seconds since 1970."""
    processes: list[Process]
    totals: Mapping[str, int]


class Presence:
    """One process's part. `kind` is what it is: `web`, `worker`."""

    def __init__(
        self,
        redis: Redis,
        kind: str,
        report: Callable[[], Report],
        *,
        process: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._write = redis.register_script(SAY)
        self._report = report
        self.process = process or secrets.token_hex(4)
        self._self = {
            "kind": kind,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": version(),
            "began": clock(),
        }
        self._number = 0
        self._counted: dict[str, int] = {}  # what all reports together have added, the one under way too
        self._unsaid: dict[str, int] | None = None  # of a report that was not acknowledged, and may have been added

    def say(self, *, leaving: bool = False) -> None:
        """Say it once. Raises redis.RedisError; what was counted is then added with the next one."""
        report = self._report()
        if self._unsaid is None:
            self._number += 1
            self._unsaid = {
                name: total - self._counted.get(name, 0)
                for name, total in report.totals.items()
                if total > self._counted.get(name, 0)
            }
            self._counted.update(report.totals)
        said = json.dumps({**self._self, "numbers": report.numbers, "streams": report.streams}, separators=(",", ":"))
        added = [part for pair in self._unsaid.items() for part in pair]
        self._write(keys=[PROCESSES, TOTALS], args=[self.process, self._number, said, int(leaving), KEPT, *added])
        self._unsaid = None

    def say_forever(self, closing: Event, then: Callable[[], None] = lambda: None) -> None:
        """Say it every few seconds, until `closing` is set; and do that each time, which may raise redis.RedisError."""
        while not closing.is_set():
            try:
                self.say()
                then()
            except RedisError as error:
                log.warning("Redis does not hear what this process counts: %s", error)
            except Exception:  # the next time may be better
                log.exception("this process could not say what it counts")
            closing.wait(SAID_EVERY)

    def leave(self) -> None:
        """Say a last time what was counted, and be gone. Who has said nothing says nothing."""
        if not self._number:
            return
        try:
            if self._unsaid is not None:
                self.say()
            self.say(leaving=True)
        except RedisError as error:
            log.warning("Redis did not hear what this process has counted last: %s", error)


def call_roll(redis: Redis) -> Roll:
    """Who is there, and what all have counted. Raises redis.RedisError."""
    now, said, totals = redis.eval(READ, 2, PROCESSES, TOTALS, int(GOOD_FOR * 1000), int(REPEATED * 1000))
    pairs = zip(said[::2], said[1::2], strict=True)
    processes = [process for each in pairs if (process := _process(*each, now))]
    counted = {
        name.decode("utf-8", "replace"): int(total)
        for name, total in zip(totals[::2], totals[1::2], strict=True)
        if total.isdigit() and len(total) < LONGEST_TOTAL  # nobody of ours writes anything else
    }
    return Roll(now / 1000, sorted(processes, key=lambda each: (each.kind, each.host, each.pid)), counted)


def _process(process: bytes, said: bytes, now: int) -> Process | None:
    """None for what another version, or nobody, has said."""
    try:
        heard, _, text = said.split(b" ", 2)
        told = json.loads(text)
        began, numbers = float(told["began"]), {str(name): float(value) for name, value in told["numbers"].items()}
        if not (0 <= began < LATEST and all(0 <= number < MOST for number in numbers.values())):
            raise ValueError("a number that nothing can be")
        return Process(
            id=process.decode("utf-8", "replace"),
            kind=str(told["kind"]),
            host=str(told["host"]),
            pid=int(told["pid"]),
            version=str(told["version"]),
            began=began,
            heard=max(0, now - int(heard)) / 1000,
            numbers=numbers,
            streams=dict(told["streams"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        log.warning("a process says what cannot be read: %s", error)
        return None
