"""How a process speaks of itself, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sentry_sdk.utils import BadDsn, Dsn

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMATS = ("json", "text")
DEFAULT_LEVEL = "INFO"
DEFAULT_ENVIRONMENT = "production"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged, and in which shape."""

    level: str = DEFAULT_LEVEL
    """Lines below it are left out."""

    format: str | None = None
    """`json` or `text`; None: text where a terminal shows it, JSON where a program collects it."""

    conversations: bool = False
    """Whether what people ask and models answer is logged too."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read LOG_LEVEL, LOG_FORMAT and LOG_CONVERSATIONS.

        Raises ValueError naming the variable and what would be right.
        """
        return cls(
            level=_one_of(LEVELS, environ, "LOG_LEVEL") or DEFAULT_LEVEL,
            format=_one_of(FORMATS, environ, "LOG_FORMAT"),
            conversations=bool(environ.get("LOG_CONVERSATIONS")),
        )


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


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Whether there are traces. All else of OpenTelemetry's (OTEL_…) it reads itself."""

    endpoint: str | None = None
    """Where they are sent, by OTLP over HTTP; None: there are none."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read OTEL_EXPORTER_OTLP_ENDPOINT. Raises ValueError naming it and what would be right."""
        endpoint = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None
        if endpoint is not None and not endpoint.startswith(("http://", "https://")):
            raise ValueError(f"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint!r}: expected a URL, as http://localhost:4318")
        return cls(endpoint)


def _one_of(allowed: tuple[str, ...], environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name, "")
    if text and text not in allowed:
        raise ValueError(f"{name}={text!r}: expected {', '.join(allowed[:-1])} or {allowed[-1]}")
    return text or None
