"""Generations as RQ's jobs: one call that returns when the answer is saved, and can be interrupted by RQ."""

import logging

import gevent

from streams import End, Outcome
from telemetry import context
from workers.endings import BROKEN, OUT_OF_TIME, SHUT_DOWN, STOPPED_BY_OPERATOR
from workers.generation import Generation, Tools
from workers.titles import Titles
from workers.worker import JobStopped, JobTimeoutException, ShuttingDown

log = logging.getLogger(__name__)


class NoAnswer(Exception):
    """The generation ended without a whole answer; for RQ, its job failed. It is saved like every other."""


class Generations:
    """Runs generations with the tools of this process."""

    def __init__(self, tools: Tools, titles: Titles | None) -> None:
        """`titles` names conversations; None: they keep the first words of their questions."""
        self._tools = tools
        self._titles = titles

    def generate(self, stream_id: str) -> str:
        """Have the answer of this stream written; return how it ended. Raises NoAnswer, or what interrupted it.

        When all of that is done, and if it was the first answer, its conversation is named.

        Whatever is raised into the waiting caller ends the generation, and is raised again when the text is saved; if
        it comes a second time, at once.
        """
        context.know(stream_id=stream_id)
        generation = Generation(stream_id, self._tools)
        running = gevent.spawn(context.carrying_on(generation.run))
        try:
            running.join()
        except BaseException as interruption:
            generation.stop(_end_for(interruption))
            running.join()
            raise
        end: End | None = running.get()
        if end is None:
            return "not ours"
        if end.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
            raise NoAnswer(f"{end.outcome}: {end.reason}")
        if end.outcome is Outcome.FINISHED and self._titles is not None:
            self._name_after(stream_id, self._titles)
        return end.outcome.value

    def _name_after(self, stream_id: str, titles: Titles) -> None:
        """The answer is whole and saved: what interrupts the job now only costs the title."""
        try:
            titles.name_after(stream_id)
        except (JobStopped, ShuttingDown, JobTimeoutException) as interruption:
            log.info("no title: %s", type(interruption).__name__, extra={"stream_id": stream_id})


def _end_for(interruption: BaseException) -> End:
    match interruption:
        case JobStopped():
            return STOPPED_BY_OPERATOR
        case ShuttingDown():
            return SHUT_DOWN
        case JobTimeoutException():
            return OUT_OF_TIME
    return BROKEN
