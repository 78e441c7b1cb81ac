"""Rooms: the conversations that pages of this process look at, and how those pages hear what happens in them.

Three things are told: that a conversation is newer, what was said beside it, and how many watch it through shares. And
whoever came by a share that is over is shut out.

The database is the truth, and a channel in Redis the hint. The database is asked when a room is entered and whenever
the channel is (again) subscribed, so nothing falls between a page's GET and its socket, or into a reconnection. And it
is asked now and then besides, for all rooms at once: neither that a link is dead nor what was said hangs on a hint.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from conversations import RemarkRecord, ShareRecord, Store
from streams import Subscriber
from streams import keys as stream_keys
from webapp.following.audience import RECOUNT_HINT, Audience

log = logging.getLogger(__name__)

VERSION = re.compile(rb"[0-9]{1,9}")  # of a conversation, as a hint; what is longer is looked at
RETRY_AFTER = 2.0  # seconds until a database that was away is asked again; nothing tells when it is back
TICK = 1.0  # seconds; a count of viewers need not be faster
CHECKED = 5.0  # seconds between looks at all rooms: are the shares in use still good, has a hint been lost?
CHECKED_AT_ONCE = 500  # shares, or rooms, in one question
TOLD_AT_ONCE = 100  # pages, before others get their turn


class Page(Protocol):
    """Who is told. The methods must not wait, nor raise."""

    def newer(self, watch: "Watch", version: int) -> None:
        """The conversation has this version now."""

    def discussed(self, watch: "Watch", remarks: list[RemarkRecord]) -> None:
        """What changed in its discussion."""

    def viewed(self, watch: "Watch", viewers: int) -> None:
        """So many watch it through shares."""


@dataclass(eq=False, slots=True)
class Watch:
    """One page's interest in one conversation, from what it has seen of it."""

    conversation_id: str
    name: str  # what the page calls it: its id, or the share's
    page: Page
    version: int
    remarks: int | None  # the last change that it has seen; None: it takes no part in the discussion
    viewers: int  # the number that it shows

    def lacks(self, version: int, changes: int) -> bool:
        """Whether its page has not seen all of this."""
        return self.version < version or (self.remarks is not None and self.remarks < changes)

    def newest(self, version: int) -> None:
        """Tell the page, unless it has seen this version."""
        if version > self.version:
            self.version = version
            self.page.newer(self, version)

    def heard(self, changes: Iterable[RemarkRecord]) -> None:
        """Tell the page those that it has not seen."""
        if self.remarks is None:
            return
        seen = self.remarks
        new = [each for each in changes if each.change > seen]
        if new:
            self.remarks = new[-1].change
            self.page.discussed(self, new)

    def counted(self, viewers: int) -> None:
        """Tell the page, unless it knows this number."""
        if viewers != self.viewers:
            self.viewers = viewers
            self.page.viewed(self, viewers)


@dataclass(eq=False, frozen=True, slots=True)
class Visit:
    """Somebody who came by a share, and what ends that."""

    share: ShareRecord
    shut_out: Callable[[], None]


@dataclass(eq=False, slots=True)
class _Room:
    conversation_id: str
    watches: set[Watch] = field(default_factory=set)
    visits: set[Visit] = field(default_factory=set)
    viewers: int = 0
    recount: bool = True
    stale: bool = False  # something may have changed since the last look
    looking: bool = False

    @property
    def empty(self) -> bool:
        return not self.watches and not self.visits


class Rooms:
    """All rooms of a process, over the process's one pub/sub connection."""

    def __init__(self, store: Store, subscriber: Subscriber, audience: Audience) -> None:
        self._store = store
        self._subscriber = subscriber
        self._audience = audience
        self._lock = threading.Lock()
        self._rooms: dict[str, _Room] = {}
        self._closing = threading.Event()
        # Two, for Redis may be silent while the database is to be asked.
        self._threads = [
            threading.Thread(target=self._forever, args=(CHECKED, self._check), name="rooms", daemon=True),
            threading.Thread(target=self._forever, args=(TICK, self._count), name="audience", daemon=True),
        ]

    def start(self) -> None:
        """Begin to count, and to look whether shares are still good."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop it. Who watches in this process is counted no more."""
        self._closing.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        try:
            self._audience.leave()
        except RedisError as error:
            log.info("viewers not counted out: %s", error)  # others do not count a process that is silent

    def watch(self, watch: Watch) -> None:
        """Begin; what it has not seen is told at once. The caller has checked that the page may see it."""
        self._come(watch.conversation_id, lambda room: room.watches.add(watch))

    def unwatch(self, watch: Watch) -> None:
        """Tell it no more."""
        self._go(watch.conversation_id, lambda room: room.watches.discard(watch))

    def enter(self, visit: Visit) -> None:
        """Count a visitor in, who is shut out as soon as the share is over; also if it is by now."""
        self._come(visit.share.conversation_id, lambda room: room.visits.add(visit))

    def leave(self, visit: Visit) -> None:
        """The visitor went."""
        self._go(visit.share.conversation_id, lambda room: room.visits.discard(visit))

    # -- rooms

    def _come(self, conversation_id: str, come: Callable[[_Room], None]) -> None:
        with self._lock:
            room = self._rooms.get(conversation_id)
            opened = room is None
            if room is None:
                room = self._rooms[conversation_id] = _Room(conversation_id)
            come(room)
            room.recount = True
            if opened:  # under the lock: whoever leaves at the same moment must not take this subscription along
                channel = stream_keys.conversation(conversation_id)
                self._subscriber.add(channel, partial(self._heard, room), partial(self._look_soon, room))
        if not opened:
            self._look_soon(room)

    def _go(self, conversation_id: str, go: Callable[[_Room], None]) -> None:
        with self._lock:
            room = self._rooms.get(conversation_id)
            if room is None:
                return
            go(room)
            if not room.empty:
                return
            del self._rooms[conversation_id]
            self._subscriber.remove(stream_keys.conversation(conversation_id))

    # -- looking

    def _heard(self, room: _Room, hint: bytes) -> None:
        if hint == RECOUNT_HINT:
            room.recount = True
        elif VERSION.fullmatch(hint):  # the commonest news needs no look
            for watch in self._watches(room):
                watch.newest(int(hint))
        else:
            self._look_soon(room)

    def _look_soon(self, room: _Room) -> None:
        """Look in a thread of its own, one at a time for each room: a thousand who come at once are one look or two."""
        with self._lock:
            room.stale = True
            if room.looking:
                return
            room.looking = True
        threading.Thread(target=self._look, args=(room,), name="look", daemon=True).start()

    def _look(self, room: _Room) -> None:
        while True:
            with self._lock:
                if not room.stale or room.empty or self._closing.is_set():
                    room.looking = False
                    return
                room.stale = False
                watches = list(room.watches)  # whoever comes later lacks more, and is for the next look
            try:
                self._shut_out([room])
                version, changes = self._store.standings([room.conversation_id]).get(room.conversation_id, (0, 0))
                seen = min((each.remarks for each in watches if each.remarks is not None), default=changes)
                remarks = self._store.remarks(room.conversation_id, after=seen) if seen < changes else []
            except Exception as error:  # nobody else looks for this room
                known = isinstance(error, SQLAlchemyError)
                facts = {"conversation_id": room.conversation_id}
                log.warning("not looked, trying again: %s", error, extra=facts, exc_info=not known)
                room.stale = True
                self._closing.wait(RETRY_AFTER)
                continue
            for place, watch in enumerate(watches):
                watch.newest(version)
                watch.heard(remarks)
                if place % TOLD_AT_ONCE == TOLD_AT_ONCE - 1:
                    time.sleep(0)  # no wait: under gevent it lets others have their turn
            if remarks:  # there may be more: they come in parts
                room.stale = True

    def _watches(self, room: _Room) -> list[Watch]:
        with self._lock:
            return list(room.watches)

    def _shut_out(self, rooms: list[_Room]) -> None:
        """Whoever came to these rooms by a share that is over. Raises SQLAlchemyError."""
        with self._lock:
            visits = [visit for room in rooms for visit in room.visits]
        ids = list({visit.share.id for visit in visits})
        for start in range(0, len(ids), CHECKED_AT_ONCE):
            asked = ids[start : start + CHECKED_AT_ONCE]
            over = set(asked) - self._store.good_shares(asked)
            for visit in visits:
                if visit.share.id in over:
                    self.leave(visit)
                    visit.shut_out()

    # -- now and then

    def _forever(self, interval: float, work: Callable[[], None]) -> None:
        while not self._closing.wait(interval):
            try:
                work()
            except (RedisError, SQLAlchemyError) as error:
                log.warning("rooms not looked after, trying again: %s", error)
            except Exception:  # nobody else does it
                log.exception("looking after rooms failed")

    def _check(self) -> None:
        """Shut out whose share is over, and look again where a hint was lost."""
        with self._lock:
            rooms = {room.conversation_id: room for room in self._rooms.values()}
        self._shut_out(list(rooms.values()))
        ids = list(rooms)
        for start in range(0, len(ids), CHECKED_AT_ONCE):
            standings = self._store.standings(ids[start : start + CHECKED_AT_ONCE])
            for conversation_id, (version, changes) in standings.items():
                watches = self._watches(rooms[conversation_id])
                if any(each.lacks(version, changes) for each in watches):
                    self._look_soon(rooms[conversation_id])

    def _count(self) -> None:
        """Say how many are here, and tell the pages how many are in all."""
        with self._lock:
            rooms = list(self._rooms.values())
            here = {room.conversation_id: len(room.visits) for room in rooms if room.visits}
        self._audience.report(here)
        with self._lock:
            asked = [room for room in rooms if room.watches and (room.recount or room.viewers)]
            for room in asked:
                room.recount = False
        try:
            totals = self._audience.totals([room.conversation_id for room in asked])
        except RedisError:
            for room in asked:
                room.recount = True
            raise
        for room, viewers in zip(asked, totals, strict=True):
            room.viewers = viewers
            for watch in self._watches(room):
                watch.counted(viewers)
