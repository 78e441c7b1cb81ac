"""How many of something there are just now, over all web processes.

Every process writes its own number beside those of the others, with a moment after which it does not count any more:
what a process that was killed had open is open no longer. The same thought as in following/audience.py, but here the
number is asked for before one more is let in; so one script does both at once.
"""

import secrets
from collections import Counter
from collections.abc import Mapping

from redis import Redis

KEY = "rejoinder:{{{}}}:open"
GOOD_FOR = 60.0  # seconds that a number counts, if it is not written again
REWRITTEN = 20.0  # seconds after which it is; two may be lost
AT_ONCE = 500  # numbers in one script
NO_LIMIT = 2**31

# KEYS: of each name a hash, by process: how many, and until when (ms)
# ARGV: 1 process, 2 good for (ms), then for each name: its number here, the most of all
# Writes the numbers and returns 0; or returns the place of the first name of which there are too many, and writes none.
WRITE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for place, key in ipairs(KEYS) do
    local total = tonumber(ARGV[place * 2 + 1])
    local fields = redis.call('HGETALL', key)
    for at = 1, #fields, 2 do
        local count, good_until = string.match(fields[at + 1], '^(%d+):(%d+)$')
        if not count or tonumber(good_until) < now then
            redis.call('HDEL', key, fields[at])
        elseif fields[at] ~= ARGV[1] then
            total = total + count
        end
    end
    if total > tonumber(ARGV[place * 2 + 2]) then return place end
end
for place, key in ipairs(KEYS) do
    local number = ARGV[place * 2 + 1]
    if number == '0' then
        redis.call('HDEL', key, ARGV[1])
    else
        redis.call('HSET', key, ARGV[1], number .. ':' .. string.format('%.0f', now + ARGV[2]))
        redis.call('PEXPIRE', key, ARGV[2])
    end
end
return 0
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
        """One more of this name, here. It is for the caller to ask next what is `over`, and then to remove it."""
        self._here[name] += 1

    def over(self, most: Mapping[str, int]) -> str | None:
        """The first of these names of which there are more than so many in all. None: the others hear of those here.

        Raises.
        """
        place = self._written(most)
        return list(most)[place - 1] if place else None

    def remove(self, name: str) -> None:
        """One less. The others hear of it with the next report."""
        self._here[name] -= 1
        if self._here[name] <= 0:
            del self._here[name]

    def report(self) -> None:
        """Say all numbers anew, before they count no longer. Raises."""
        in_order = list(self._reported.keys() | self._here.keys())
        for start in range(0, len(in_order), AT_ONCE):
            self._written(dict.fromkeys(in_order[start : start + AT_ONCE], NO_LIMIT))
        # By what was written and not by what is here now: what was removed meanwhile has yet to be said.
        self._reported = {name: number for name, number in self._reported.items() if number}

    def leave(self) -> None:
        """Nothing is open here any more. Raises."""
        self._here.clear()
        self.report()

    def _written(self, most: Mapping[str, int]) -> int:
        """What the script returns."""
        numbers = {name: self._here[name] for name in most}
        self._reported |= numbers
        limits = [each for name, number in numbers.items() for each in (number, most[name])]
        return int(self._write(keys=[KEY.format(name) for name in most], args=[self._process, self._good_for, *limits]))
