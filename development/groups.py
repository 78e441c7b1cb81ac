"""Ends process groups. A command of ours runs in a group of its own, with every process that it starts.

Standard library only: the guardian uses it too.
"""

import os
import signal
import time
from collections.abc import Callable, Collection


def signal_groups(groups: Collection[int], number: signal.Signals) -> None:
    for group in groups:
        if is_alive(group):
            os.killpg(group, number)


def is_alive(group: int) -> bool:
    """Whether any process of the group is left. Of a dead child that nobody has waited for, its entry is."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group in which only zombies are left
        return False
    return True


def end_groups(groups: Collection[int], patience: float, pause: Callable[[float], object] = time.sleep) -> None:
    """Ask them to end, wait for as long as `patience`, then end what is left. `pause` may cut the waiting short."""
    signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(map(is_alive, groups)) and time.monotonic() < deadline:
        if pause(0.05) is False:
            break
    signal_groups(groups, signal.SIGKILL)
