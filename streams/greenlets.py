"""Asking whether something waits on a connection, in a process of greenlets: without giving others their turn.

redis-py asks that before each command, and httpcore, under the lock of its pool, of every idle connection whenever a
request begins or ends. Both do so with `select.poll`. gevent's goes through the event loop even where it is not to
wait: a third of what a command to Redis takes (benchmarks/README.md). And hundreds of requests that ended together
waited for each other for seconds, and one that was stopped while it waited for that lock kept its place in the pool for
ever.
"""

import select
from typing import Protocol

import gevent.select
from gevent.monkey import get_original

_poll_at_once = get_original("select", "poll")


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


class Poll:
    """`select.poll`: the operating system's own where it is not to wait, and gevent's where it is."""

    def __init__(self) -> None:
        self._asked: dict[int, int] = {}

    # Arguments and replies are those of select.poll.

    def register(self, fd: int | _HasFileno, eventmask: int = select.POLLIN | select.POLLPRI | select.POLLOUT) -> None:
        self._asked[_number(fd)] = eventmask

    modify = register

    def unregister(self, fd: int | _HasFileno) -> None:
        del self._asked[_number(fd)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        poll = _poll_at_once() if timeout == 0 else gevent.select.poll()
        for number, eventmask in self._asked.items():
            poll.register(number, eventmask)
        answers: list[tuple[int, int]] = poll.poll(timeout)
        return answers


def poll_at_once() -> None:
    """Have everything in this process ask so. After gevent's monkey patching, before the first connection."""
    select.poll = Poll  # type: ignore[assignment, misc]


def _number(fd: int | _HasFileno) -> int:
    return fd if isinstance(fd, int) else fd.fileno()
