"""The numbers of a stream, each with its unit and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How long things live, and how large they may grow. Times are seconds, sizes are bytes."""

    lease: float = 4.0
    """A producer that was not heard for this long is taken for dead."""

    queue_limit: float = 600.0
    """A stream that no worker has begun for this long is ended as interrupted."""

    retention: float = 3600.0
    """How long a stream stays readable after its message was saved."""

    unsaved_retention: float = 7 * 24 * 3600.0
    """How long a stream is kept while it is not saved; the bound that keeps lost ones from staying forever."""

    max_answer_bytes: int = 8 * 1024 * 1024
    """The upper limit of one answer. The writer holds it in memory; the database stores it in one row."""

    @property
    def heartbeat(self) -> float:
        """Four beats fit into a lease, so that three may be lost."""
        return self.lease / 4

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read STREAM_LEASE, STREAM_QUEUE_LIMIT, STREAM_RETENTION, STREAM_UNSAVED_RETENTION and MAX_ANSWER_BYTES.

        Raises ValueError with a line for each variable that is wrong: its name, what it holds and what would be right.
        """
        default, read, wrong = cls(), dict[str, float](), list[str]()
        for name, variable in VARIABLES.items():
            try:
                read[name] = _positive(environ, variable, getattr(default, name))
            except ValueError as error:
                wrong.append(str(error))
        if wrong:
            raise ValueError("\n".join(wrong))
        longest = int(read.pop("max_answer_bytes"))
        return cls(**read, max_answer_bytes=longest)


VARIABLES = {
    "lease": "STREAM_LEASE",
    "queue_limit": "STREAM_QUEUE_LIMIT",
    "retention": "STREAM_RETENTION",
    "unsaved_retention": "STREAM_UNSAVED_RETENTION",
    "max_answer_bytes": "MAX_ANSWER_BYTES",
}


def _positive(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}={text!r}: expected a number above 0, for example {default:g}")
    return value
