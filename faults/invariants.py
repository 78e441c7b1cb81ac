"""What must hold of an answer, whatever was broken: one text, everywhere, and one end.

Rule: no I/O in this file. What the model wrote, what viewers have, what the database and Redis hold goes in; what is
wrong comes out, in numbers for the table and in words for whoever has to mend it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from faults.words import Damage, beginning, damage
from streams.chunk import is_end, join


@dataclass(frozen=True, slots=True)
class Expected:
    """What a fault may cost. By default, nothing."""

    outcomes: frozenset[str] = frozenset({"finished"})
    whole: bool = True
    """All that the model has, and not only a beginning of it."""
    requests: range = range(1, 2)
    """How often the model may have been asked."""
    forgets: bool = False
    """Whether a viewer may have seen text that is not in the end; never without the loss of what Redis held."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one viewer has at the end."""

    name: str
    text: str
    outcome: str | None
    forgotten: Sequence[str] = ()
    """What it had of earlier epochs."""
    broken: Sequence[str] = ()
    """What the protocol does not allow."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A row of the database."""

    text: str
    outcome: str


@dataclass(slots=True)
class Verdict:
    """Sums of what was found; `complaints` says all of it in words."""

    words: int = 0
    damage: Damage = field(default_factory=Damage)
    wrong_endings: int = 0
    complaints: list[str] = field(default_factory=list)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            self.words + other.words,
            self.damage + other.damage,
            self.wrong_endings + other.wrong_endings,
            [*self.complaints, *other.complaints],
        )


def judge(
    name: str, words: int, expected: Expected, requests: int, viewers: Sequence[Seen], saved: Sequence[Saved]
) -> Verdict:
    """One answer, of which the model would write so many words."""
    verdict = Verdict()
    complain = verdict.complaints.append
    if requests not in expected.requests:
        complain(f"{name}: the model was asked {requests} times, not {_times(expected.requests)}")
    if len(saved) != 1:
        complain(f"{name}: the database has {len(saved)} answers of this stream, not one")
    kept = saved[0].text if saved else ""
    if saved and saved[0].outcome not in expected.outcomes:
        verdict.wrong_endings += 1
        complain(f"{name}: in the database it is {saved[0].outcome}, not {_any_of(expected.outcomes)}")
    for text, who in [(kept, "the database"), *((viewer.text, viewer.name) for viewer in viewers)]:
        verdict.words += beginning(text)
        whole = expected.whole or (saved and saved[0].outcome == "finished")
        harm = damage(text, words if whole else min(words, beginning(text)))
        verdict.damage += harm
        if harm:
            complain(f"{name}: {who} has a damaged text: {harm}")
        elif text != kept:
            verdict.damage += Damage(lost=max(0, beginning(kept) - beginning(text)))
            complain(f"{name}: {who} has {beginning(text)} words, the database {beginning(kept)}")
    for viewer in viewers:
        if viewer.outcome is None or viewer.outcome not in expected.outcomes:
            verdict.wrong_endings += 1
            complain(f"{name}: {viewer.name} was told that it is {viewer.outcome}")
        elif saved and viewer.outcome != saved[0].outcome:
            verdict.wrong_endings += 1
            complain(f"{name}: {viewer.name} was told {viewer.outcome}, the database says {saved[0].outcome}")
        for broken in viewer.broken:
            complain(f"{name}: {viewer.name}: {broken}")
        for text in viewer.forgotten:
            if not expected.forgets and not kept.startswith(text):
                verdict.damage += Damage(lost=max(1, beginning(text) - beginning(kept)))
                complain(f"{name}: {viewer.name} had {beginning(text)} words, of which {beginning(kept)} were kept")
    return verdict


def judge_entries(name: str, entries: list[bytes], saved: Sequence[Saved]) -> list[str]:
    """What Redis has of an answer, if it still has it: the text that was saved, and one end, at the end."""
    if not entries:
        return []
    ends = [place for place, entry in enumerate(entries) if is_end(entry)]
    complaints = [] if ends == [len(entries) - 1] else [f"{name}: of {len(entries)} entries, {ends} are ends"]
    stored = join(entries)
    for kept in saved:
        if stored.text != kept.text:
            complaints.append(f"{name}: Redis has {beginning(stored.text)} words, the database {beginning(kept.text)}")
        if stored.end is not None and stored.end.outcome != kept.outcome:
            complaints.append(f"{name}: in Redis it is {stored.end.outcome}, in the database {kept.outcome}")
    return complaints


LASTING = re.compile(
    r"rejoinder:\{unsettled\}"
    r"|rq:(queues|workers|suspended|clean_registries.*)"
    r"|rq:(queue|workers|wip|finished|failed|canceled|deferred|scheduled):.*"
)
"""Keys that may have no expiry: the list of what is to be looked after, and what RQ keeps of all jobs together."""


def judge_keys(unexpiring: Iterable[str], jobs: Collection[str]) -> list[str]:
    """What is left in Redis: nothing that never goes away. `jobs` are those that wait or run, as RQ's books have it."""
    booked = {f"rq:{kind}:{job}" for job in jobs for kind in ("job", "executions")}
    return [f"the key {key} never expires" for key in unexpiring if not LASTING.fullmatch(key) and key not in booked]


def _times(allowed: range) -> str:
    return f"{allowed.start}" if len(allowed) == 1 else f"{allowed.start} to {allowed.stop - 1}"


def _any_of(outcomes: Iterable[str]) -> str:
    return " or ".join(sorted(outcomes))
