"""Wait for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_INTERVAL = 0.01  # seconds; short beside anything that a test waits for


def wait_until(condition: Callable[[], T], timeout: float = 60.0, what: str = "") -> T:
    """Return the first truthy value of `condition`; raise TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s still waiting for {what or condition!r}")
        time.sleep(POLL_INTERVAL)
    return value
