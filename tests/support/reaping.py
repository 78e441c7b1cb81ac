"""What the threads of a reaper do, once, in the test's own."""

import time

from streams import Client, Reaper, keys


def reap(reaper: Reaper) -> list[str]:
    """Look once, and save what is over. Returns the streams that were settled."""
    return [stream_id for stream_id in reaper.look() if reaper.settle(stream_id)]


def nobody_is_blind(client: Client) -> None:
    """Whoever looks next knows that somebody has looked, and gives nobody time, however slow this machine is then."""
    client.set(keys.LOOKED, int((time.time() + 60) * 1000))
