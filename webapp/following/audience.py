"""How many watch each conversation through shares, over all web processes.

Every process writes its own number beside those of the others, with a moment after which it does not count any more: a
process that was killed takes its viewers with it.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis import ResponseError

from streams import Client, keys
from streams.shards import Command, shard_of, together

log = logging.getLogger(__name__)

WRITTEN = re.compile(rb"([0-9]{1,7}):([0-9]{1,15}(?:\.[0-9]{1,9})?)")  # how many, and until when
RECOUNT_HINT = b"viewers"
GOOD_FOR = 30.0  # seconds that a number counts, if it is not written again
REWRITTEN = 10.0  # seconds after which it is; two may be lost


class Audience:
    """One process's part in the counting. Every method may raise RedisError. For one thread."""

    def __init__(
        self,
        redis: Client,
        *,
        process: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._process = process or secrets.token_hex(4)
        self._clock = clock
        self._reported: dict[str, tuple[int, float]] = {}

    def report(self, here: Mapping[str, int]) -> None:
        """So many watch here. What has not changed is written only now and then."""
        now = self._clock()
        changed = {
            conversation: count
            for conversation, count in here.items()
            if self._reported.get(conversation, (0, 0.0))[0] != count
            or now - self._reported[conversation][1] > REWRITTEN
        }
        gone = self._reported.keys() - here.keys()
        if not changed and not gone:
            return
        until = self._time() + GOOD_FOR
        commands: list[Command] = []
        for conversation, count in changed.items():
            key = keys.audience(conversation)
            commands.append(("HSET", key, self._process, f"{count}:{until:.3f}"))
            commands.append(("PEXPIRE", key, int(GOOD_FOR * 1000)))
        commands += [("HDEL", keys.audience(conversation), self._process) for conversation in gone]
        commands += [("SPUBLISH", keys.conversation(each), RECOUNT_HINT) for each in [*changed, *gone]]
        self._together(commands)
        self._reported.update({conversation: (count, now) for conversation, count in changed.items()})
        for conversation in gone:
            del self._reported[conversation]

    def leave(self) -> None:
        """Nobody watches here any more."""
        self.report({})

    def totals(self, conversation_ids: Sequence[str]) -> list[int]:
        """How many watch each of them, wherever."""
        if not conversation_ids:
            return []
        now = self._time()
        written = self._together([("HVALS", keys.audience(conversation)) for conversation in conversation_ids])
        return [
            0 if isinstance(values, ResponseError) else sum(_counting(value, now) for value in values)
            for values in written
        ]

    def _time(self) -> float:
        """By the one clock that all processes share."""
        seconds, microseconds = shard_of(self._redis, keys.UNSETTLED).time()
        return float(seconds) + float(microseconds) / 1e6

    def _together(self, commands: list[Command]) -> list[Any]:
        """The replies. One key that holds something else does not keep the others from being counted."""
        replies = together(self._redis, commands)
        for reply in replies:
            if isinstance(reply, Exception):
                if "WRONGTYPE" not in str(reply):
                    raise reply
                log.warning("viewers not counted: %s", reply)
        return replies


def _counting(value: bytes, now: float) -> int:
    """What counts now of what a process wrote; nothing of what none of ours has written."""
    found = WRITTEN.fullmatch(value)
    return int(found[1]) if found and float(found[2]) > now else 0
