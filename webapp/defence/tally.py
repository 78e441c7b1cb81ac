"""How many of something there are just now, over all web processes.

Every process writes its own number beside those of the others, with a moment after which it does not count any more:
what a process that was killed had open is open no longer. The same thought as in following/audience.py, but here the
number is asked for before one more is let in; so one script does both at once.
"""

import secrets
from collections import Counter

from redis import Redis

KEY = "rejoinder:{{{}}}:open"
GOOD_FOR = 60.0  # seconds that a number counts, if it is not written again
REWRITTEN = 20.0  # seconds after which it is; two may be lost
AT_ONCE = 500  # numbers in one pipeline
NO_LIMIT = 2**31

# KEYS: 1 hash, by process: how many, and until when (ms)
# ARGV: 1 process, 2 its number, 3 the most of all, 4 good for (ms)
# Writes the number and returns 1, unless that made too many.
WRITE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local total = tonumber(ARGV[2])
local fields = redis.call('HGETALL', KEYS[1])
for place = 1, #fields, 2 do
    local count, good_until = string.match(fields[place + 1], '^(%d+):(%d+)$')
    if not count or tonumber(good_until) < now then
        redis.call('HDEL', KEYS[1], fields[place])
    elseif fields[place] ~= ARGV[1] then
        total = total + count
    end
end
if total > tonumber(ARGV[3]) then return 0 end
if ARGV[2] == '0' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""


class Tally:
    """One process's part. What is said to raise raises redis.RedisError."""

    def __init__(self, redis: Redis, *, process: str | None = None, good_for: float = GOOD_FOR) -> None:
        self._redis = redis
        self._write = redis.register_script(WRITE)
        self._process = process or secrets.token_hex(4)
        self._good_for = int(good_for * 1000)
        self._here: Counter[str] = Counter()
        self._reported: dict[str, int] = {}  # what was written last, unless that was nothing

    def add(self, name: str) -> None:
        """One more of this name, here. It is for the caller to ask next whether it `fits`, and else to remove it."""
        self._here[name] += 1

    def fits(self, name: str, most: int) -> bool:
        """Whether there are no more than so many in all; then the others hear of those here. Raises."""
        return bool(self._write(keys=[KEY.format(name)], args=self._arguments(name, most)))

    def remove(self, name: str) -> None:
        """One less. The others hear of it with the next report."""
        self._here[name] -= 1
        if self._here[name] <= 0:
            del self._here[name]

    def report(self) -> None:
        """Say all numbers anew, before they count no longer. Raises."""
        in_order = list(self._reported.keys() | self._here.keys())
        for start in range(0, len(in_order), AT_ONCE):
            pipeline = self._redis.pipeline(transaction=False)
            for name in in_order[start : start + AT_ONCE]:
                self._write(keys=[KEY.format(name)], args=self._arguments(name, NO_LIMIT), client=pipeline)
            pipeline.execute()
        # By what was written and not by what is here now: what was removed meanwhile has yet to be said.
        self._reported = {name: number for name, number in self._reported.items() if number}

    def leave(self) -> None:
        """Nothing is open here any more. Raises."""
        self._here.clear()
        self.report()

    def _arguments(self, name: str, most: int) -> list[str | int]:
        """Of a number that is to be written now."""
        self._reported[name] = self._here[name]
        return [self._process, self._here[name], most, self._good_for]
