"""The functions that a worker runs, and no others: a job names its function, and its callbacks, in Redis.

Without this, whoever can write there could have a worker run anything that Python can import.
"""

import logging
from collections.abc import Callable, Collection
from typing import Any

from rq.job import Job

log = logging.getLogger(__name__)


class UnknownFunction(Exception):
    """A job names a function that is none of ours."""


def only(functions: Collection[str]) -> type[Job]:
    """RQ's class of jobs, for a worker that knows these functions. A job of another one fails; its callbacks are
    passed over, and its webhooks not sent."""

    class KnownJob(Job):
        @property
        def func(self) -> Any:
            if self.func_name not in functions:
                raise UnknownFunction(f"this worker does not run {self.func_name!r}")
            return super().func

        @property
        def success_callback(self) -> Callable[..., Any] | None:
            return super().success_callback if self._knows(self._success_callback_name) else None

        @property
        def failure_callback(self) -> Callable[..., Any] | None:
            return super().failure_callback if self._knows(self._failure_callback_name) else None

        @property
        def stopped_callback(self) -> Callable[..., Any] | None:
            return super().stopped_callback if self._knows(self._stopped_callback_name) else None

        def send_webhooks(self, status: Any, *, exc_string: str | None = None) -> None:  # noqa: ARG002 (RQ's signature)
            """None: a job in Redis may name any address, and ours name none."""
            if self.webhooks:
                log.error("this worker sends no webhooks", extra={"job_id": self.id})

        def _knows(self, callback: str | None) -> bool:
            if callback and callback not in functions:
                log.error("this worker does not call %r back", callback, extra={"job_id": self.id})
            return callback in functions

    return KnownJob
