"""Generations as RQ's jobs: one call that returns when the answer is saved, and can be interrupted by RQ."""

import gevent

from streams import End, Outcome
from workers.endings import BROKEN, OUT_OF_TIME, SHUT_DOWN, STOPPED_BY_OPERATOR
from workers.generation import Generation, Tools
from workers.worker import JobStopped, JobTimeoutException, ShuttingDown


class NoAnswer(Exception):
    """The generation ended without a whole answer; for RQ, its job failed. It is saved like every other."""


class Generations:
    """Runs generations with the tools of this process."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def generate(self, stream_id: str) -> str:
        """Have the answer of this stream written; return how it ended. Raises NoAnswer, or what interrupted it.

        Whatever is raised into the waiting caller ends the generation, and is raised again when the text is saved; if
        it comes a second time, at once.
        """
        generation = Generation(stream_id, self._tools)
        running = gevent.spawn(generation.run)
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
        return end.outcome.value


def _end_for(interruption: BaseException) -> End:
    match interruption:
        case JobStopped():
            return STOPPED_BY_OPERATOR
        case ShuttingDown():
            return SHUT_DOWN
        case JobTimeoutException():
            return OUT_OF_TIME
    return BROKEN
