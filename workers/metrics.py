"""What a worker counts, for Prometheus and for whoever looks at one process. telemetry/README.md has the table."""

import time
from collections.abc import Callable

from streams import Reaper, Restarts, StreamWriters
from telemetry.exposition import Exposition, Names, cumulated
from telemetry.presence import Report
from telemetry.shared import PREFIX, Shared

EXPOSITION = Exposition()
_counter, _gauge, _histogram = EXPOSITION.counter, EXPOSITION.gauge, EXPOSITION.histogram

KINDS = ("busy", "loading", "unreachable", "trouble", "key", "quota", "unknown_model", "too_long", "rejected", "broken")
"""Why a model did not answer: workers/providers/failures.py."""

SHARED = Shared(EXPOSITION)
RUNNING = _gauge("rejoinder_generations_running", "Generations that this worker runs.")
CONCURRENCY = _gauge("rejoinder_generations_limit", "How many it would run at once (WORKER_CONCURRENCY).")
STARTED = _counter("rejoinder_generations_started", "Generations that were begun.")
ENDED = _counter("rejoinder_generations_ended", "Generations that have ended.", outcome=(), model=())
DURATION = _histogram("rejoinder_generation_duration_seconds", "From the beginning of a generation to its end.")
QUEUE_WAIT = _histogram("rejoinder_queue_wait_seconds", "From the queuing of a job until a worker took it.")
FIRST_TOKEN = _histogram(
    "rejoinder_first_token_seconds", "From the question to the first word of the model's answer.", ["model"]
)
TOKENS = _counter("rejoinder_tokens", "Tokens, as the model's server counts them.", model=(), kind=())
DELTAS = _counter("rejoinder_deltas", "Pieces of text that models have sent.")
CHARACTERS = _counter("rejoinder_characters", "Characters in them.")
CHUNKS = _counter("rejoinder_chunks", "Entries that were made of them.")
FLUSH_FAILURES = _counter("rejoinder_flush_failures", "Writings of a stream that Redis did not answer; tried again.")
REWRITTEN = _counter("rejoinder_rewritten_entries", "Entries that Redis had lost, and that were written again.")
DATABASE_SAVES = _counter("rejoinder_database_saves", "Attempts to save an ended answer.", result=("saved", "failed"))
MODEL_REFUSALS = _counter(
    "rejoinder_model_refusals", "Requests that a model did not answer, or not wholly.", kind=KINDS
)

TOLD = (  # to all other processes, and shown on the operations page
    "generations_started",
    "deltas",
    "characters",
    "chunks",
    "flush_failures",
    "rewritten_entries",
    "model_refusals",
)
HELD = ("generations_running", "generations_limit", "resident_memory_bytes")

model_name = Names()


def watch(writers: StreamWriters, reaper: Reaper, restarts: Restarts, concurrency: int) -> None:
    """Show what the parts of this process count."""
    written, reaped = writers.counts, reaper.counts

    def nth(place: int) -> Callable[[], float]:
        return lambda: writers.written()[place]

    EXPOSITION.watch(
        {
            DELTAS: nth(0),
            CHARACTERS: nth(1),
            CHUNKS: nth(2),
            FLUSH_FAILURES: lambda: written.failures,
            REWRITTEN: lambda: written.lost_entries,
            SHARED.reaper_saves: lambda: reaped.saved,
            SHARED.reaper_failures: lambda: reaped.save_failures,
            **SHARED.counters(lambda: writers.reconnections, lambda: reaped.leases_lost, lambda: restarts.begun_again),
        },
        {RUNNING: lambda: writers.open_streams, CONCURRENCY: lambda: concurrency, **SHARED.gauges()},
    )
    EXPOSITION.spreads(
        {
            (
                "rejoinder_flush_entries",
                "Entries in one writing to Redis, of all streams together.",
            ): written.flush_entries,
            ("rejoinder_flush_duration_seconds", "How long Redis took for it."): written.flush_seconds,
        }
    )


def ended(outcome: str, model: str, seconds: float) -> None:
    """A generation has ended."""
    ENDED.labels(outcome=outcome, model=model).inc()
    DURATION.observe(seconds)


def used(model: str, counts: dict[str, int]) -> None:
    """The model's server has said what it took."""
    for kind in ("prompt", "completion"):
        TOKENS.labels(model=model, kind=kind).inc(max(0, counts.get(f"{kind}_tokens", 0)))


class Reporter:
    """What this process says of itself to all others: of each stream, how much it has written of it, and how fast."""

    def __init__(self, writers: StreamWriters, clock: Callable[[], float] = time.monotonic) -> None:
        self._writers = writers
        self._clock = clock
        self._before: dict[str, tuple[float, int, int]] = {}

    def __call__(self) -> Report:
        snapshot = EXPOSITION.counted()
        waits = {
            f"{name}.{bound}": count
            for name, histogram in (("queue_wait", QUEUE_WAIT), ("first_token", FIRST_TOKEN))
            for bound, count in cumulated(histogram).items()
        }
        return Report(
            numbers={name: snapshot[PREFIX + name] for name in HELD},
            totals={**SHARED.totals(snapshot, TOLD), **waits},
            streams=self._written(),
        )

    def _written(self) -> dict[str, list[float | None]]:
        """By stream: characters so far, and characters and deltas a second since the last time, if there was one."""
        now, before = self._clock(), self._before
        self._before = {each: (now, *written) for each, written in self._writers.written_of_each().items()}
        return {
            stream_id: [characters, *_rates(before[stream_id], (now, characters, deltas))]
            if stream_id in before
            else [characters, None, None]
            for stream_id, (_, characters, deltas) in self._before.items()
        }


def _rates(before: tuple[float, int, int], after: tuple[float, int, int]) -> list[float]:
    seconds = after[0] - before[0]
    return [round((count - old) / seconds, 1) for old, count in zip(before[1:], after[1:], strict=True)]
