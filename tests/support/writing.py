"""What becomes of a stream in a worker's hands, by hand."""

from redis import Redis

from streams import Kind, StreamWriter, keys
from tests.support.reaping import nobody_is_blind
from tests.support.waiting import wait_until


def write(writer: StreamWriter, *deltas: str) -> None:
    """Have each delta stored as a chunk of its own."""
    for delta in deltas:
        writer.append(Kind.TEXT, delta)
        wait_until(lambda: not writer.is_pending)


def write_note(writer: StreamWriter, words: str) -> None:
    """Have a note stored."""
    writer.note(words)
    assert writer.wait_stored(60)


def die(client: Redis, stream_id: str) -> None:
    """The worker of this stream is dead, and whoever looks next notices.

    Something of its writer's was stored before: with its first call, which it makes by itself, it says that it lives.
    """
    client.hset(keys.state(stream_id), "lease", 1)
    nobody_is_blind(client)
    client.zadd(keys.UNSETTLED, {stream_id: 1})
