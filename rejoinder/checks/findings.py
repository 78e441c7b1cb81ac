"""What a check has found, and how many checks are made at the same time without any of them holding up the others."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"
    """It could not be looked at, because of something else that is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `mend` says in a sentence what to do; empty where nothing is to be done."""

    about: str
    level: Level
    found: str
    mend: str = ""


def ok(about: str, found: str) -> Finding:
    return Finding(about, Level.OK, found)


def warning(about: str, found: str, mend: str) -> Finding:
    return Finding(about, Level.WARNING, found, mend)


def wrong(about: str, found: str, mend: str) -> Finding:
    return Finding(about, Level.WRONG, found, mend)


def skipped(about: str, found: str) -> Finding:
    return Finding(about, Level.SKIPPED, found)


@dataclass(frozen=True, slots=True)
class Check:
    """A part that is looked at. `limit`: so many seconds it may take."""

    about: str
    look: Callable[[], list[Finding]]
    limit: float = 15.0


def made(checks: Sequence[Check]) -> Iterator[Finding]:
    """The findings of all of them, in their order. They are made at once: what does not answer is waited for once."""
    results: dict[int, list[Finding]] = {}

    def make(number: int, check: Check) -> None:
        try:
            results[number] = check.look()
        except Exception as error:  # noqa: BLE001 - one that breaks must not keep the others from being told
            found = f"this check itself broke: {type(error).__name__}: {error}"
            results[number] = [wrong(check.about, found, "Report it, with this line.")]

    # Daemons, because what does not answer cannot be interrupted, and must not keep the program from its end.
    threads = [threading.Thread(target=make, args=each, daemon=True) for each in enumerate(checks)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for number, (check, thread) in enumerate(zip(checks, threads, strict=True)):
        thread.join(max(0.0, begun + check.limit - time.monotonic()))
        silent = wrong(check.about, f"no answer within {check.limit:g} s", "See whether it runs, and can be reached.")
        yield from results.get(number, [silent])
