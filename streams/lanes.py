"""What is to be done on each server, in one batch at a time: while one is under way, the next one gathers.

A lane for each server, with a thread of its own: one that is away, or slow, holds up nobody else's.
"""

import logging
import random
import threading
from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

import redis

from streams.connection import Client
from streams.shards import shard_of

log = logging.getLogger(__name__)

FIRST_DELAY = 0.05  # seconds before what failed is tried again; doubles with every failure …
LONGEST_DELAY = 1.0  # … up to this: nobody should wait long once a server is back

Item = TypeVar("Item", bound=Hashable)


class Lanes(Generic[Item]):
    """Items are put from any thread, and done in the order in which they came, each at most once for all the times that
    it was put before."""

    def __init__(
        self,
        client: Client,
        name: str,
        key: Callable[[Item], str],
        do: Callable[[list[Item]], Collection[Item]],
        *,
        at_once: int | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        """`key` says by what an item is found in Redis. `do` does some of one server's items, at most `at_once`, and
        returns those that failed: they are tried again after a pause, wherever their key lies then."""
        self._client = client
        self._name = name
        self._key = key
        self.do = do
        self.at_once = at_once
        self.random = random
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._lanes: dict[redis.Redis, _Lane[Item]] = {}
        self._started = False
        self._only = self._open(client) if isinstance(client, redis.Redis) else None

    def start(self) -> None:
        """Start working. Nothing is done before, except by `turn`."""
        with self._lock:
            self._started = True
            for lane in self._lanes.values():
                lane.start()

    def close(self) -> None:
        """Stop working. What is not done by now stays undone."""
        self.closing.set()
        with self._lock:
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.close()

    def put(self, item: Item) -> None:
        """Have it done soon."""
        (self._only or self._lane_of(item)).put(item)

    def turn(self) -> bool:
        """Do one batch of each server here and now. Returns whether nothing failed."""
        with self._lock:
            lanes = list(self._lanes.values())
        failed = [lane for lane in lanes if not lane.turn()]
        return not failed

    def _lane_of(self, item: Item) -> "_Lane[Item]":
        shard = shard_of(self._client, self._key(item))
        return self._lanes.get(shard) or self._open(shard)

    def _open(self, shard: "redis.Redis") -> "_Lane[Item]":
        with self._lock:
            lane = self._lanes.get(shard)
            if lane is None:
                lane = self._lanes[shard] = _Lane(self, self._name)
                if self._started:
                    lane.start()
            return lane


class _Lane(Generic[Item]):
    """One server's items. A server that is gone leaves an empty lane behind, which does nothing."""

    def __init__(self, lanes: Lanes[Item], name: str) -> None:
        self._lanes = lanes
        self._lock = threading.Lock()
        self._due: dict[Item, None] = {}
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work_forever, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def put(self, item: Item) -> None:
        with self._lock:
            self._due[item] = None
        self._wake.set()

    def turn(self) -> bool:
        with self._lock:
            items = list(self._due)[: self._lanes.at_once]
            for item in items:  # before it is done: what happens from now on makes it due again
                del self._due[item]
            if self._due:
                self._wake.set()
        failed = self._lanes.do(items) if items else ()
        for item in failed:
            self._lanes.put(item)
        return not failed

    def _work_forever(self) -> None:
        failures = 0
        while not self._lanes.closing.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                done = self.turn()
            except Exception:  # every stream that lies there depends on this thread
                log.exception("%s failed", self._thread.name)
                done = False
            if done:
                failures = 0
            else:
                failures += 1
                delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, 10))
                self._lanes.closing.wait(self._lanes.random() * delay)
