"""One reader of server-sent events (PROTOCOL.md, section 3)."""

from collections.abc import Iterator

from gevent.event import Event as Bell

from conversations import ShareRecord
from streams import Batch, Cursor, Gone, Position, is_end
from webapp.following import frames, sockets
from webapp.following.rooms import Visit
from webapp.services import Services


class EventStream(sockets.Closable):
    """The viewer (streams.Viewer) behind one response. It is pulled by the web server: it takes, and refuses offers."""

    def __init__(self, services: Services, share: ShareRecord | None) -> None:
        super().__init__()
        self._services = services
        self._share = share
        self._bell = Bell()
        self._closed = False
        self._beating = False
        self._retry: int | None = None

    def offer(self, cursor: Cursor, batch: Batch) -> bool:  # noqa: ARG002 (streams.Viewer)
        self._bell.set()
        return False

    def wake(self, cursor: Cursor) -> None:  # noqa: ARG002 (streams.Viewer)
        self._bell.set()

    def send_away(self, wait: int) -> None:
        """See Closable. There is no close frame here; an EventSource waits as long as it was last told."""
        self._retry = wait
        self._closed = True
        self._bell.set()

    def beat(self) -> None:
        """See Closable. Proxies cut what is silent for 30 or 60 seconds."""
        self._beating = True
        self._bell.set()

    def shut_out(self) -> None:
        """The share that let it in is over. A client that comes back is told so."""
        self._closed = True
        self._bell.set()

    def events(self, stream_id: str, position: Position | None, expected: bool) -> Iterator[bytes]:
        """What to send, until the stream ends or is gone, the share is over, or the process ends."""
        rooms, visit = self._services.rooms, None
        if self._share is not None:
            visit = Visit(self._share, self.shut_out)
        cursor = self._services.hub.follow(stream_id, self, position, expected=expected)
        try:
            if visit is not None:
                rooms.enter(visit)
            yield b"retry: 1000\n\n"
            while not self._closed:
                self._bell.clear()
                event = cursor.take()
                if event is None:
                    if self._beating:
                        self._beating = False
                        yield b": heartbeat\n\n"
                    self._bell.wait()
                    continue
                yield event.encoded(frames.server_sent) if isinstance(event, Batch) else frames.server_sent(event)
                if isinstance(event, Gone) or (isinstance(event, Batch) and is_end(event.entries[-1])):
                    return
            if self._retry is not None:
                yield b"retry: %d\n\n" % self._retry
        finally:
            cursor.close()
            if visit is not None:
                rooms.leave(visit)
            self.over()
