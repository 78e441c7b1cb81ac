"""Is the process alive, and can it do its work? Asked by whoever runs it."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from streams import ping
from webapp.problems import Problem, described
from webapp.responses import respond
from webapp.schemas import Alive, Ready
from webapp.services import Services

log = logging.getLogger(__name__)

TIME_LIMIT = 2.0  # seconds for all checks together; those who ask usually wait five


def health_views(services: Services) -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint("health", __name__, abp_tags=[Tag(name="health")], abp_responses=described())
    checks: dict[str, Callable[[], object]] = {"redis": services.redis.ping, "database": services.store.ping}
    if services.stream_redis is not services.redis:
        checks["streams"] = partial(ping, services.stream_redis)

    @api.get("/healthz", responses={200: Alive})
    def healthz() -> Response:
        """The process is alive. Asks nothing of anybody else."""
        return respond(Alive(status="ok"))

    @api.get("/readyz", responses={200: Ready, **described(HTTPStatus.SERVICE_UNAVAILABLE)})
    def readyz() -> Response:
        """Redis and the database answer; 503 names what does not."""
        silent = _silent(checks)
        if silent:
            detail = f"Not well, or without an answer for {TIME_LIMIT:g} s: {', '.join(silent)}. The log says why."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        return respond(Ready(redis="ok", streams="ok", database="ok"))

    return api


def _silent(checks: dict[str, Callable[[], object]]) -> list[str]:
    """The names of the checks that failed or took too long, all made at the same time."""
    answered: set[str] = set()

    def ask(name: str) -> None:
        try:
            checks[name]()
        except (RedisError, SQLAlchemyError) as error:
            log.warning("not ready: %s: %s", name, error)
        else:
            answered.add(name)

    # A thread of their own, because what does not answer cannot be interrupted; their own time limits end them later.
    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in checks]
    deadline = time.monotonic() + TIME_LIMIT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [name for name in checks if name not in answered]
