"""What clients are told when the process leaves: to come back, and each at another moment.

Who all lose their connection at once would all come back at once. A client does not know how many they are; the process
that they leave does.
"""

from collections.abc import Callable, Iterator

SPREAD = 2.0  # seconds, at least: a process that takes over is there within them
EACH = 0.004  # seconds; to be let in costs 3 ms of a core
LONGEST = 30.0  # seconds that anybody should wait


def moments(clients: int, random: Callable[[], float]) -> Iterator[int]:
    """For each of them, in how many milliseconds to come back: evenly spread, at random in a share of the time."""
    spread = min(LONGEST, max(SPREAD, EACH * clients))
    for place in range(clients):
        yield int((place + random()) / clients * spread * 1000)


def reason(wait: int) -> str:
    """What the close frame says."""
    return f"The server restarts. Come back in {wait} ms."
