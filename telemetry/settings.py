"""How a process speaks of itself, read once from the environment; who is told of faults, errors.py reads itself.

Rule: standard library only. gunicorn's parent reads it, and whatever loads `ssl` there comes before gevent's patch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMATS = ("json", "text")
DEFAULT_LEVEL = "INFO"


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
