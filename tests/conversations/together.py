"""Several callables at the same instant, in real threads."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

PATIENCE = 60  # seconds; a deadlock shows as a failure, not as a test that hangs


def at_once(calls: Sequence[Callable[[], object]]) -> list[Any]:
    """What each returned or raised, in their order."""
    results: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(number: int) -> None:
        start.wait(PATIENCE)
        try:
            results[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - handed to the test, which looks at it
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return results
