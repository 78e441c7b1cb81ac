"""Asks each part whether it does its work yet. Every question gives up after a second and is asked again."""

import http.client
import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import redis
from rq import Worker

from development.plan import Plan
from development.supervisor import Child

PATIENCE = 1.0  # seconds for one question


def redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def is_well(url: str) -> bool:
    """Whether a GET is answered by 200."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    try:
        connection.request("GET", address.path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def has_registered(url: str, group: int) -> bool:
    """Whether a worker of this process group has registered with RQ."""
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            return any(_is_of(group, worker.pid) for worker in Worker.all(connection=client))
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def _is_of(group: int, pid: int | None) -> bool:
    try:
        return pid is not None and os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def checks(plan: Plan) -> Mapping[str, Callable[[Child], bool]]:
    """By the name in the Procfile. A process that has no entry here is ready when it has been started."""
    url = plan.environ["REDIS_URL"]
    return {
        "redis": lambda _child: redis_answers(url),
        "model": lambda _child: is_well(plan.environ["OPENAI_BASE_URL"].removesuffix("/v1") + "/health"),
        "web": lambda _child: is_well(f"http://127.0.0.1:{plan.port}/readyz"),
        "worker": lambda child: has_registered(url, child.group),
    }
