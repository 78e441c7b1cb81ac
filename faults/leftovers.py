"""What web processes still hold when the last viewer has gone: nothing, or it grows for ever."""

from dataclasses import dataclass
from functools import partial

import httpx2

from faults.stack import ADMIN_PASSWORD, Stack
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess

GONE_AFTER = 90.0  # seconds: a stream that nobody watches is held for 30, and a socket without pongs for 50
SPARE_GREENLETS = 30  # the threads in which a database is asked, up to ten, have two or three each
SPARE_FILES = 10  # of the database's and the model's connection pools


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    connections: int
    tails: int
    viewers: int
    subscriptions: int
    greenlets: int
    files: int
    megabytes: float


def held_by(web: WebProcess) -> Held:
    """Ask a web process, and the system about it."""
    url = f"http://127.0.0.1:{web.port}/vitals"
    response = httpx2.get(url, auth=("admin", ADMIN_PASSWORD), timeout=30)
    response.raise_for_status()
    [process] = web.children()
    return Held(**response.json(), files=process.num_fds(), megabytes=process.memory_info().rss / 1e6)


def leftovers(stack: Stack, before: Held) -> list[str]:
    """Wait until everything is gone; what is not, in words. `before` is what a web process holds that is new."""
    complaints: list[str] = []
    for web in stack.webs:
        try:
            wait_until(partial(_nothing_left, web, before), GONE_AFTER, "everything to be gone")
        except TimeoutError:
            complaints += [f"{web.log.name}: {what}" for what in _left(web, before)]
    channels = {channel.decode() for channel in stack.redis.pubsub_channels("rejoinder:*")} - {"rejoinder:control"}
    complaints += [f"somebody still listens to {channel}" for channel in sorted(channels)]
    return complaints


def _nothing_left(web: WebProcess, before: Held) -> bool:
    return not _left(web, before)


def _left(web: WebProcess, before: Held) -> list[str]:
    held = held_by(web)
    left = {
        "connections": held.connections,
        "tails": held.tails,
        "viewers": held.viewers,
        "subscriptions": held.subscriptions,
        "greenlets": max(0, held.greenlets - before.greenlets - SPARE_GREENLETS),
        "open files": max(0, held.files - before.files - SPARE_FILES),
    }
    return [f"{count} {what} too many" for what, count in left.items() if count]
