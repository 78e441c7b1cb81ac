"""How gunicorn runs the web process: `gunicorn -c webapp/gunicorn_conf.py webapp.wsgi:app`."""

import os
import random
import resource
import sys
from typing import Any

import gevent

from telemetry import multiprocess
from telemetry.logs import init_logs
from telemetry.settings import LogSettings
from webapp.observing.gunicorn_log import GunicornLog, forget_the_last_request


def _whole_number(name: str, default: int, most: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= most):
        raise ValueError(f"{name}={text!r}: expected a whole number from 1 to {most}, for example {default}")
    return int(text)


try:
    init_logs(LogSettings.from_env(os.environ))
    bind = f"0.0.0.0:{_whole_number('PORT', 8000, 65_535)}"
    workers = _whole_number("WEB_CONCURRENCY", 1, 1_000)
except ValueError as error:
    print(f"The web process cannot start:\n  {error}", file=sys.stderr)
    sys.exit(4)

multiprocess.fresh_folder()

worker_class = "gevent"
worker_connections = 10_000  # every open socket is one; when all are taken, plain HTTP waits too
keepalive = 100  # seconds; Heroku's router keeps idle connections for 90, and a request to one that we close is lost
graceful_timeout = 5  # seconds for requests under way, which take far less; idle connections use all of it
timeout = 120  # seconds without a sign of life of the event loop, or of the start, until the worker is replaced
control_socket_disable = True  # it would open one under the home directory
preload_app = False  # connections and threads are made after the fork
logger_class = GunicornLog
pre_request = forget_the_last_request
accesslog = "-" if os.environ.get("ACCESS_LOG") else None  # whatever stands in front of us usually writes one

gevent.config.track_greenlet_tree = False  # for debuggers; 2 KB a socket

ALIVE_CHECK = 0.2  # seconds

# One descriptor for each socket, and the usual soft limit is 1,024.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = 65_536 if _hard == resource.RLIM_INFINITY else min(_hard, 65_536)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(_soft, _wanted), _hard))


def post_worker_init(worker: Any) -> None:
    """Have open sockets told to come back; gunicorn would wait for them, and then cut them in silence."""

    def drain() -> None:
        while worker.alive:
            gevent.sleep(ALIVE_CHECK)
        from webapp.following.sockets import send_all_away

        while True:  # for a moment new ones are still accepted
            send_all_away(random.random)
            gevent.sleep(ALIVE_CHECK)

    gevent.spawn(drain)


def child_exit(_server: Any, worker: Any) -> None:
    """In the parent: what a worker held when it ended, it holds no more."""
    multiprocess.forget(worker.pid)


def worker_exit(_server: Any, worker: Any) -> None:
    """Let go of Redis and the database. A worker that could not start has nothing to let go of."""
    if hasattr(worker, "wsgi"):
        worker.wsgi.extensions["services"].close()
