"""gunicorn's own lines, among all others and in their shape."""

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from telemetry import context
from telemetry.redaction import hide


class GunicornLog(Logger):  # type: ignore[misc]  # it ships no types
    """Hands every line on to the root logger, which gunicorn_conf.py has set up."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = cfg.accesslog is not None
        self.error_log.propagate = self.access_log.propagate = True

    def access(self, resp: Any, _req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One line for each request, if that is wanted. What stands behind the path is left out: it may be a search."""
        if self._access_log_enabled:
            facts = {
                "method": environ.get("REQUEST_METHOD"),
                "path": hide(environ.get("PATH_INFO", "")),  # of a request that gunicorn itself refuses there is none
                "status": int(str(resp.status).split()[0]),
                "bytes": resp.sent,
                "seconds": round(request_time.total_seconds(), 4),
                "address": environ.get("REMOTE_ADDR"),
            }
            self.access_log.info("request", extra=facts)


def forget_the_last_request(_worker: Any, _request: Any) -> None:
    """gunicorn's `pre_request`: a connection is one greenlet's, and has many requests, not all of them for Flask."""
    context.forget()
