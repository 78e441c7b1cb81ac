"""What the threads of a reaper do, once, in the test's own."""

from streams import Reaper


def reap(reaper: Reaper) -> list[str]:
    """Look once, and save what is over. Returns the streams that were settled."""
    return [stream_id for stream_id in reaper.look() if reaper.settle(stream_id)]
