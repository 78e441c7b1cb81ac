"""Faults, for whoever collects them: Sentry, or any server that speaks its protocol (SENTRY_DSN).

Rule: what is sent is built from what may be known, and everything else stays here. That is where something broke, by
which exception, under which ids; not what the exception says, for it may quote what people ask: the log has that, under
the same ids. Whatever is logged as an error is sent; what may happen (a model says no) is logged as a warning.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import BadDsn, Dsn
from structlog.contextvars import get_contextvars

from telemetry.redaction import hide

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

DEFAULT_ENVIRONMENT = "production"
KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "server_name", "sdk")
LONGEST = 200  # characters of what is sent in words
OF_THE_SYSTEM = (OSError,)  # what these say is about connections and files


@dataclass(frozen=True, slots=True)
class ErrorSettings:
    """Whom faults are told."""

    dsn: str | None = None
    """A Sentry project's address; None: nobody."""

    environment: str = DEFAULT_ENVIRONMENT

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read SENTRY_DSN and SENTRY_ENVIRONMENT. Raises ValueError naming the variable and what would be right."""
        dsn = environ.get("SENTRY_DSN") or None
        try:
            Dsn(dsn or "")
        except BadDsn:
            if dsn is not None:  # which is not repeated here: it has a key in it
                raise ValueError("SENTRY_DSN is not right; expected the DSN of a project, https://key@host/1") from None
        return cls(dsn, environ.get("SENTRY_ENVIRONMENT") or DEFAULT_ENVIRONMENT)


def init_errors(settings: ErrorSettings, process: str) -> None:
    """Send what is logged as an error from now on, if that is wanted. `process` is what kind of one this is."""
    if settings.dsn is None:
        return
    sentry_sdk.init(
        settings.dsn,
        environment=settings.environment,
        before_send=reduced,
        # None that look at requests, databases, jobs and models by themselves: they take along what they see.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
        ],
        include_local_variables=False,
        send_default_pii=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
    )
    sentry_sdk.get_global_scope().set_tag("process", process)


def reduced(event: "Event", hint: "Hint") -> "Event":
    """What is sent in place of the event."""
    given: dict[str, Any] = dict(event)
    sent: dict[str, Any] = {name: given[name] for name in KEPT if name in given}
    if message := given.get("logentry", {}).get("message"):
        sent["logentry"] = {"message": _words(message)}  # as it stands in our code: what it is about is left out
    raised = hint.get("exc_info")
    if "exception" in given:
        says = str(raised[1]) if raised and isinstance(raised[1], OF_THE_SYSTEM) else ""
        values = given["exception"]["values"]
        sent["exception"] = {"values": [_exception(each, says if each is values[-1] else "") for each in values]}
    sent["tags"] = {**given.get("tags", {}), **get_contextvars(), **_ids(given.get("extra", {}))}
    return sent  # type: ignore[return-value]


def _exception(given: dict[str, Any], says: str) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: given[name] for name in ("type", "module", "mechanism", "stacktrace") if name in given
    }
    return {**kept, "value": _words(says)}


def _ids(extra: dict[str, Any]) -> dict[str, str]:
    """Facts of a line that are one word: ids, kinds, numbers. Sentences are not."""
    return {
        name: hide(str(value))
        for name, value in extra.items()
        if isinstance(value, str | int) and len(str(value)) <= LONGEST and len(str(value).split()) == 1
    }


def _words(text: str) -> str:
    return hide(text.partition("\n")[0])[:LONGEST]
