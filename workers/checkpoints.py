"""What running answers have goes to the database now and then, so that even a Redis that is lost leaves something.

A process looks at all of its answers at once, and those that have grown go together: a transaction for each of a
thousand answers was a quarter of what a worker did.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from conversations import Store
from streams import Fenced, Joined, StreamWriter

log = logging.getLogger(__name__)

AT_ONCE = 100  # answers in a transaction: a database like SQLite makes all others wait for it
AT_ONCE_CHARS = 1_000_000  # and about as many characters, which are copied for it


class Checkpoints:
    """Takes one of every answer that has grown, every `interval` seconds."""

    def __init__(self, store: Store, interval: float) -> None:
        self._store = store
        self._interval = interval
        self._kept: dict[StreamWriter, int] = {}  # characters that the database has

    @contextmanager
    def of(self, writer: StreamWriter) -> Iterator[None]:
        """Take some of this one, as long as the block lasts."""
        self._kept[writer] = 0
        try:
            yield
        finally:
            del self._kept[writer]

    def take_forever(self, sleep: Callable[[float], object]) -> None:
        """Never returns: for a greenlet of its own."""
        while True:
            sleep(self._interval)
            try:
                self.take()
            except Exception:  # all answers of this process depend on this greenlet
                log.exception("taking checkpoints failed")

    def take(self) -> None:
        """Take one now. What the database refuses, it is given the next time.

        Only what Redis has, and people have seen: a worker may have been taken for dead, and not know it. Then what it
        goes on to write is no part of the answer, which has its end, or is begun anew by another worker.
        """
        grown: dict[StreamWriter, Joined] = {}
        chars = 0
        for writer, kept in list(self._kept.items()):
            try:
                stored = writer.stored
            except Fenced:
                continue
            if (has := _chars(stored)) > kept:
                grown[writer] = stored
                chars += has
            if len(grown) >= AT_ONCE or chars >= AT_ONCE_CHARS:
                self._keep(grown)
                grown, chars = {}, 0
        if grown:
            self._keep(grown)

    def _keep(self, grown: dict[StreamWriter, Joined]) -> None:
        try:
            self._store.checkpoint({writer.stream_id: (has.text, has.reasoning) for writer, has in grown.items()})
        except SQLAlchemyError as error:
            log.warning("no checkpoint this time: %s", error, extra={"answers": len(grown)})
            return
        for writer, has in grown.items():
            if writer in self._kept:  # it may have ended meanwhile
                self._kept[writer] = _chars(has)


def _chars(joined: Joined) -> int:
    return len(joined.text) + len(joined.reasoning)
