"""What the database has to say of whoever wants to come in, asked once for all who come at the same time.

A thousand viewers of one answer lose their connection together and come back together, and each of them has to be let
in. Whoever asks while somebody else is asking the same waits until that is over, and then one asks for all of them: so
an answer is never older than its question.
"""

import threading
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar

from conversations import ShareRecord, Store, StreamRecord

T = TypeVar("T")


class Together:
    """Runs what is asked under a key for all who ask with that key; those with other keys do not wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rounds: dict[Hashable, _Rounds] = {}

    def __call__(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` returns or raises. It is begun after this call, here or by another who calls with this key."""
        with self._lock:
            rounds = self._rounds.setdefault(key, _Rounds())
            rounds.askers += 1
            answer = rounds.next
            answer.askers += 1
        try:
            with rounds.turn:  # behind a question that is under way
                if not answer.asked:
                    with self._lock:
                        rounds.next = _Answer()  # for those who come from now on
                    answer.ask(ask)
            told: T = answer.told()
            return told
        finally:
            with self._lock:
                rounds.askers -= 1
                if not rounds.askers:
                    del self._rounds[key]

    def waiting(self, key: Hashable) -> int:
        """How many wait for a question that is not begun; tests look at it."""
        with self._lock:
            return self._rounds[key].next.askers if key in self._rounds else 0


class _Answer:
    """To one question, for all who had asked when it was begun."""

    def __init__(self) -> None:
        self.askers = 0
        self.asked = False
        self._value: Any = None
        self._error: Exception | None = None

    def ask(self, ask: Callable[[], Any]) -> None:
        try:
            self._value = ask()
        except Exception as error:  # noqa: BLE001  it is told to all of them
            self._error = error
        self.asked = True

    def told(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


class _Rounds:
    """The questions of one key: one is under way, the next one gathers those who will have its answer."""

    def __init__(self) -> None:
        self.askers = 0
        self.turn = threading.Lock()
        self.next = _Answer()


class Door:
    """The methods are those of the Store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._together = Together()

    def stream(self, stream_id: str, owner: str) -> StreamRecord:
        """See Store."""
        return self._together(("stream", stream_id, owner), partial(self._store.stream, stream_id, owner))

    def shared_stream(self, stream_id: str, share_id: str) -> StreamRecord:
        """See Store."""
        ask = partial(self._store.shared_stream, stream_id, share_id)
        return self._together(("shared stream", stream_id, share_id), ask)

    def shared(self, share_id: str) -> ShareRecord:
        """See Store."""
        return self._together(("share", share_id), partial(self._store.shared, share_id))

    def versions(self, conversation_ids: list[str], *, owner: str | None = None) -> dict[str, int]:
        """See Store."""
        ask = partial(self._store.versions, conversation_ids, owner=owner)
        return self._together(("versions", *conversation_ids, owner), ask)
