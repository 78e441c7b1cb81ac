"""One page's WebSocket: what it follows, what it watches, what it is told (PROTOCOL.md, section 2)."""

import logging
import time
from functools import lru_cache
from typing import Any

from simple_websocket import ConnectionClosed, Server
from sqlalchemy.exc import SQLAlchemyError

from conversations import NotFound, RemarkRecord, ShareOver
from streams import Batch, Cursor, Gone, Position, is_end
from webapp import metrics
from webapp.access import Access
from webapp.defence.pace import Pace
from webapp.following import farewell, frames, sockets
from webapp.following.rooms import Visit, Watch
from webapp.problems import Problem
from webapp.schemas import Remark
from webapp.services import Services

log = logging.getLogger(__name__)

MOST_FOLLOWED = 100  # streams of one socket, and as many conversations: more than any page shows
NO_LONGER_SHARED, NOT_SHARED, TOO_MUCH = 4410, 4404, 4429  # close codes of our own, after HTTP's
LEAD = 10.0  # seconds' worth of frames that may come at once: a page says all that it follows when it is back
TOO_FAST = "This page says more than {} frames a second. Come back later."
SERVER_RESTARTS = 1012
MISSED_BEATS = 2  # as many as a client waits for
HEARTBEAT = frames.text_frame({"type": "heartbeat"})


class PageSocket(sockets.Closable):
    """The viewer (streams.Viewer) and the page (rooms.Page) behind one WebSocket."""

    def __init__(self, ws: Server, access: Access, services: Services) -> None:
        super().__init__()
        self._ws = ws
        ws.ws = ws.ws.connection  # without the handshake, which is over and would be kept
        self._access = access
        self._services = services
        self._listed: str | None = None  # whose list it shows
        self._shut = False
        self._unanswered = 0  # beats since the last pong
        self._outlet: sockets.Outlet = ws.sock
        self._outlet.refill = self._next
        self._encode = frames.deflated if self._outlet.deflates else frames.websocket
        self._cursors: dict[str, Cursor] = {}
        self._watches: dict[str, Watch] = {}
        self._behind: dict[Cursor, None] = {}  # cursors that have something to take
        per_second = services.settings.frames_per_second
        self._pace = Pace(per_second, LEAD, time.monotonic) if per_second else None

    def turn_away(self, reason: str) -> None:
        """Instead of `serve`: there is too much of something, and the client may come back later."""
        sockets.hang_up(self._ws, TOO_MUCH, reason)
        self.over()
        sockets.see_out(self._ws)

    def serve(self) -> None:
        """Answer the client until it leaves. A fault of ours ends the socket with 1011, never in silence."""
        visit = None
        try:
            with self._services.limits.looking_up(self._access.share_id):
                share = self._access.share()
            if share is not None:
                visit = Visit(share, self.shut_out)
                self._services.rooms.enter(visit)
            self._say({"type": "hello", "heartbeat": self._services.settings.heartbeat_interval})
            while True:
                frame = sockets.receive(self._ws)
                if self._pace is None or self._pace.keeps():
                    self._answer(frame)
                else:
                    sockets.hang_up(self._ws, TOO_MUCH, TOO_FAST.format(self._services.settings.frames_per_second))
        except ConnectionClosed:
            return
        except ShareOver:
            self.shut_out()
        except NotFound:  # what a frame asks for in vain is answered there; this is the share
            sockets.hang_up(self._ws, NOT_SHARED, frames.UNSHARED["detail"])
        except Problem as refused:
            sockets.hang_up(self._ws, TOO_MUCH, refused.detail)
        except SQLAlchemyError as error:
            log.warning("a socket was closed, because the database does not answer: %s", error)
            sockets.hang_up(self._ws, 1013, "The database does not answer at the moment. Come back.")
        except Exception:
            log.exception("a WebSocket handler failed")
            sockets.hang_up(self._ws, 1011, "Something went wrong in the server.")
        finally:
            for cursor in list(self._cursors.values()):
                cursor.close()
            for watch in self._watches.values():
                self._services.rooms.unwatch(watch)
            if self._listed is not None:
                self._services.lists.unwatch(self._listed, self._list_changed)
            if visit is not None:
                self._services.rooms.leave(visit)
            self._outlet.finish()
            self.over()
        sockets.see_out(self._ws)

    def send_away(self, wait: int) -> None:
        """See Closable."""
        sockets.hang_up(self._ws, SERVER_RESTARTS, farewell.reason(wait))

    def shut_out(self) -> None:
        """The share that let it in is over: not one more frame but the close."""
        self._shut = True
        for cursor in list(self._cursors.values()):
            self._let_go(cursor)
        sockets.hang_up(self._ws, NO_LONGER_SHARED, frames.REVOKED["detail"])

    def beat(self) -> None:
        """See Closable. A socket that is being written to needs no other sign of life; the client is asked for one."""
        self._unanswered = 0 if self._ws.pong_received else self._unanswered + 1
        if self._unanswered >= MISSED_BEATS:
            sockets.hang_up(self._ws, 1008, "No answer to pings.")
            return
        self._outlet.write_now(HEARTBEAT)
        self._ws.pong_received = False
        self._outlet.write(frames.PING)

    # -- streams.Viewer

    def offer(self, cursor: Cursor, batch: Batch) -> bool:
        """Called for every new batch of every stream that this page follows: the hot path. What comes so is small."""
        if self._outlet.write_now(batch.encoded(frames.websocket)):
            return True
        self.wake(cursor)
        return False

    def wake(self, cursor: Cursor) -> None:
        """There is something to take; the outlet asks for it when there is room."""
        self._behind[cursor] = None
        self._outlet.drain()

    def _next(self) -> bytes | None:
        """What the outlet writes next. Streams take turns, so that a long one does not hold up a short one."""
        while self._behind:
            cursor = next(iter(self._behind))
            del self._behind[cursor]
            event = cursor.take()
            if event is not None:
                if isinstance(event, Gone) or (isinstance(event, Batch) and is_end(event.entries[-1])):
                    self._let_go(cursor)  # nothing follows
                else:
                    self._behind[cursor] = None
                return event.encoded(self._encode) if isinstance(event, Batch) else frames.websocket(event)
        return None

    # -- rooms.Page

    def newer(self, watch: Watch, version: int) -> None:
        """See rooms.Page."""
        self._tell(watch, {"type": "news", "conversation": watch.name, "version": version})

    def discussed(self, watch: Watch, remarks: list[RemarkRecord]) -> None:
        """See rooms.Page."""
        shown = [_shown(each) for each in remarks]
        self._tell(watch, {"type": "remarks", "conversation": watch.name, "remarks": shown})

    def viewed(self, watch: Watch, viewers: int) -> None:
        """See rooms.Page."""
        self._tell(watch, {"type": "audience", "conversation": watch.name, "viewers": viewers})

    def _tell(self, watch: Watch, frame: dict[str, Any]) -> None:
        if not self._shut and self._watches.get(watch.name) is watch:
            self._say(frame)

    # -- the client's frames

    def _answer(self, data: str | bytes) -> None:
        try:
            frame = frames.parse_client_frame(data)
        except frames.NotAFrame as error:
            sockets.hang_up(self._ws, 1007, str(error))
            return
        match frame:
            case frames.Follow():
                self._follow(frame)
            case frames.Unfollow():
                self._unfollow(frame.stream)
            case frames.Watch():
                self._watch(frame)
            case frames.Unwatch():
                self._unwatch(frame.conversation)
            case frames.WatchList():
                self._watch_list()
            case frames.Ping():
                self._say({"type": "pong"})

    def _follow(self, frame: frames.Follow) -> None:
        try:
            position = Position.parse(frame.position) if frame.position else None
        except ValueError as error:
            self._refuse(frames.problem(400, "Bad position", str(error)), stream=frame.stream)
            return
        self._unfollow(frame.stream)
        if len(self._cursors) >= MOST_FOLLOWED:
            what = f"One socket follows at most {MOST_FOLLOWED} streams; unfollow some."
            self._refuse(frames.problem(429, "Too many streams", what), stream=frame.stream)
            return
        try:
            stream = self._access.stream(frame.stream)
        except NotFound:
            self._say({"type": "gone", "stream": frame.stream, "problem": frames.UNKNOWN})
            return
        if self._shut:  # while the database was asked
            return
        cursor = self._services.hub.follow(frame.stream, self, position, expected=stream.in_flight)
        self._cursors[frame.stream] = cursor
        self.wake(cursor)

    def _unfollow(self, stream_id: str) -> None:
        if stream_id in self._cursors:
            self._let_go(self._cursors[stream_id])

    def _let_go(self, cursor: Cursor) -> None:
        cursor.close()
        self._behind.pop(cursor, None)
        if self._cursors.get(cursor.stream_id) is cursor:
            del self._cursors[cursor.stream_id]

    def _watch(self, frame: frames.Watch) -> None:
        self._unwatch(frame.conversation)
        if len(self._watches) >= MOST_FOLLOWED:
            what = f"One socket watches at most {MOST_FOLLOWED} conversations; unwatch some."
            self._refuse(frames.problem(429, "Too many conversations", what), conversation=frame.conversation)
            return
        try:
            place = self._access.conversation(frame.conversation)
        except NotFound:
            what = f"There is no conversation {frame.conversation}, or it is not yours."
            self._refuse(frames.problem(404, "Not found", what), conversation=frame.conversation)
            return
        remarks = frame.remarks if place.discussion else None
        watch = Watch(place.conversation_id, frame.conversation, self, frame.version, remarks, frame.viewers)
        self._watches[frame.conversation] = watch
        watch.newest(place.version)
        self._services.rooms.watch(watch)

    def _watch_list(self) -> None:
        owner = self._access.lister()
        if owner is not None and self._listed is None:  # to whom nothing belongs, nothing happens
            self._listed = owner
            self._services.lists.watch(owner, self._list_changed)

    def _list_changed(self) -> None:
        self._say({"type": "list"})

    def _unwatch(self, conversation_id: str) -> None:
        watch = self._watches.pop(conversation_id, None)
        if watch is not None:
            self._services.rooms.unwatch(watch)

    def _refuse(self, problem: dict[str, Any], **about: str) -> None:
        metrics.refused(problem["status"])
        self._say({"type": "problem", **about, "problem": problem})

    def _say(self, frame: dict[str, Any]) -> None:
        self._outlet.write(frames.text_frame(frame))


@lru_cache(maxsize=1_000)
def _shown(remark: RemarkRecord) -> dict[str, Any]:
    """A thousand viewers are told the same remark."""
    return Remark.model_validate(remark).model_dump(mode="json")
