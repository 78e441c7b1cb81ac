"""What can go wrong with a stream, each error named for what happened and carrying the facts."""


class StreamError(Exception):
    """The base of all errors of this package."""


class StreamNotFound(StreamError):
    """Redis holds no such stream: it never existed, it expired, or Redis lost it."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(f"there is no stream {stream_id!r}")
        self.stream_id = stream_id


class StreamEnded(StreamError):
    """The stream has its end already; nothing can follow it."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(f"stream {stream_id!r} has ended")
        self.stream_id = stream_id


class StreamBegun(StreamError):
    """Somebody else writes the stream, or has written it and died; it is not written a second time."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(f"stream {stream_id!r} was begun by another writer")
        self.stream_id = stream_id


class Fenced(StreamError):
    """Someone newer owns this stream: a later writer, or the reaper that ended it. Stop; there is nothing to repair.

    `handed_on` says that another worker begins its answer anew: this one's counts for nothing, even if it is whole.
    """

    def __init__(self, stream_id: str, fence: int, newest: int, *, handed_on: bool = False) -> None:
        super().__init__(f"stream {stream_id!r}: this writer has fence {fence}, the newest is {newest}")
        self.stream_id = stream_id
        self.fence = fence
        self.newest = newest
        self.handed_on = handed_on


class AnswerTooLong(StreamError):
    """The answer reached its upper limit (bytes of UTF-8). What was appended before stays."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the answer is longer than the limit of {limit:,} bytes")
        self.limit = limit
