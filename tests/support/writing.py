"""What a worker does to a stream, by hand."""

from streams import Kind, StreamWriter
from tests.support.waiting import wait_until


def write(writer: StreamWriter, *deltas: str) -> None:
    """Have each delta stored as a chunk of its own."""
    for delta in deltas:
        writer.append(Kind.TEXT, delta)
        wait_until(lambda: not writer.is_pending)
