"""Someone who watches one answer and comes back as the page does, whatever happens to the connection.

Watches with a `Copy` (what a client holds, by the rules of PROTOCOL.md), and keeps a record of what must not happen.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from random import Random
from typing import Any

import httpx2

from faults.channels import Channel, EventChannel, Refused, WebSocketChannel
from faults.wire import Lost, Trouble, Wire, open_wire
from tests.support.copy import Copy, ProtocolBroken

Json = dict[str, Any]

# How long to wait before connecting again, as in frontend/src/stream/backoff.ts.
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 30.0  # seconds
MOMENT = re.compile(r" in (\d+) ms")  # in the reason of a close, of a server that restarts
SERVER_RESTARTS, ABNORMAL = 1012, 1006
SHUT_OUT = (4404, 4410)  # close codes after which nobody comes back
CLOSES = (ABNORMAL, 1008, SERVER_RESTARTS, 1013, *SHUT_OUT)  # codes; of all others, a client or a server has a fault
GONE, NOT_NOW = (204, 410), 503  # statuses of HTTP
NO_WORK = ("hello", "following", "gone", "problem", "heartbeat")  # frames that a server in trouble sends too
ASK_AGAIN = 1.0  # seconds between looks at a conversation whose stream is gone and whose answer is not saved yet
OFFLINE_POLL = 0.02  # seconds between looks whether a viewer that is away may come back


class Way(Enum):
    """How a viewer follows."""

    WEBSOCKET = "WebSocket"
    EVENTS = "server-sent events"


@dataclass(frozen=True, slots=True)
class Address:
    """What is watched, by whom, and where it can be had."""

    ports: Callable[[], Sequence[int]]
    """Where the web processes listen, as a router knows it; the first that answers is taken."""
    cookie: str
    conversation: str
    stream: str
    share: str | None = None


@dataclass
class Record:
    """What happened to one viewer."""

    received: int = 0
    """Bytes, over all connections that have ended."""
    broken: list[str] = field(default_factory=list)
    """What the protocol does not allow, and refusals that say that the server has a fault; in words."""
    ended: float = 0.0
    """When the end came (monotonic)."""
    arrivals: list[float] = field(default_factory=list)
    """When text came (monotonic)."""
    came_back: list[float] = field(default_factory=list)
    """When it was connected, each time (monotonic)."""
    shut_out: int | None = None
    """The close code with which it was told not to come back."""
    forgotten: list[str] = field(default_factory=list)
    """Texts that were held, and given up for those of another epoch."""


class Viewer:
    """`watch` runs in an event loop; all else may be called and read from any thread."""

    def __init__(self, address: Address, way: Way, random: Random, trouble: Trouble | None = None) -> None:
        self.address = address
        self.way = way
        self.copy = Copy()
        self.saved: Json | None = None
        """The message from the conversation, where the stream was gone."""
        self.record = Record()
        self.trouble = trouble or Trouble()
        self.is_done = False
        self.is_misled = False
        """It holds what is not true, so that what the protocol does not allow may come of it, once."""
        self._random = random
        self._wire: Wire | None = None
        self._abandoned: list[Wire] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- what it holds

    @property
    def text(self) -> str:
        """The answer as this viewer sees it."""
        return str(self.saved["content"]) if self.saved else self.copy.text

    @property
    def outcome(self) -> str | None:
        """How it ended, as this viewer was told."""
        if self.saved:
            return str(self.saved["status"])
        return str(self.copy.end["outcome"]) if self.copy.end else None

    @property
    def longest_pause(self) -> float:
        """Seconds, between two arrivals of text."""
        pairs = zip(self.record.arrivals, self.record.arrivals[1:], strict=False)
        return max((later - earlier for earlier, later in pairs), default=0.0)

    def first_text_after(self, moment: float) -> float:
        """Seconds from this moment (monotonic) to the next text; infinite, if there was none."""
        return next((arrival - moment for arrival in self.record.arrivals if arrival > moment), inf)

    def back_after(self, moment: float) -> float | None:
        """Seconds from this moment to the first text after a new connection; None, if it kept its connection."""
        back = next((when for when in self.record.came_back if when > moment), None)
        return None if back is None else back - moment + self.first_text_after(back)

    @property
    def received(self) -> int:
        """Bytes, over all connections."""
        return self.record.received + (self._wire.received if self._wire else 0)

    # -- what can be done to it

    def cut(self) -> None:
        """Lose the connection now."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cut)

    def pause(self) -> None:
        """Read nothing more; the connection stays open."""
        self._set(self.trouble.reads.clear)

    def resume(self) -> None:
        """Read again."""
        self._set(self.trouble.reads.set)

    def leave(self) -> None:
        """Lose the connection, and have no network."""
        self._set(self.trouble.away.set)
        self.cut()

    def come_back(self) -> None:
        """Have a network again."""
        self._set(self.trouble.away.clear)

    def abandon(self) -> None:
        """Take the connection for dead, which is not, and leave it open."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._abandon)

    def _abandon(self) -> None:
        if self._wire is not None:
            self._wire.abandon()

    def believe(self, epoch: str | None, next_index: int) -> None:
        """Hold a position that is not true, as from a storage that somebody else wrote; and connect anew."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._believe, epoch, next_index)

    def _believe(self, epoch: str | None, next_index: int) -> None:
        self.is_misled = True
        self.copy.epoch, self.copy.next_index = epoch, next_index
        self._cut()

    def _set(self, change: Callable[[], object]) -> None:
        if self._loop is None:
            change()
        else:
            self._loop.call_soon_threadsafe(change)

    def _cut(self) -> None:
        if self._wire is not None:
            self._wire.shut()

    # -- watching

    async def watch(self) -> None:
        """Return when the answer's end is here and the connection gone, or when the viewer was told to go.

        After the end it stays as long as its connection does, as a page does: nothing more of the stream may come.
        """
        self._loop = asyncio.get_running_loop()
        attempt = 0
        try:
            while not self.is_done:
                if self.trouble.away.is_set():
                    await asyncio.sleep(OFFLINE_POLL)
                    continue
                worked, lost = await self._follow()
                attempt = 0 if worked else attempt + 1
                if not self.is_done:
                    await asyncio.sleep(self._delay(lost, attempt))
        finally:
            for wire in self._abandoned:
                wire.close()

    async def _follow(self) -> tuple[bool, Lost]:
        """Over one connection. Whether something came of it, and how it was closed."""
        worked, closed = False, Lost("the server closed a response, which has no words for it")
        try:
            async for frame in await self._connect():
                worked = worked or frame["type"] not in NO_WORK
                if await self._take(frame) and not self.is_done:
                    self.record.ended = time.monotonic()
                    self.is_done = True
        except Lost as lost:
            closed = lost
            if lost.code not in CLOSES:
                self.record.broken.append(f"was closed with {lost.code}: {lost}")
        except Refused as refused:
            if self.way is Way.EVENTS and refused.status in GONE:
                await self._read_saved()
                self.is_done = True
            elif refused.status != NOT_NOW:
                self.record.broken.append(f"was refused: {refused}")
        except ProtocolBroken as broken:
            if not self.is_misled:
                self.record.broken.append(str(broken))
            if not self.is_done:
                self.copy.clear()
            self.is_misled = False
        finally:
            self._let_go()
        if closed.code in SHUT_OUT:
            self.record.shut_out = closed.code
            self.is_done = True
        return worked, closed

    def _let_go(self) -> None:
        """Of the connection; one that was abandoned stays open."""
        if self._wire is None:
            return
        self.record.received += self._wire.received
        if self._wire.abandoned:
            self._abandoned.append(self._wire)
        else:
            self._wire.close()
        self._wire = None

    def _delay(self, lost: Lost, attempt: int) -> float:
        if self.trouble.at_once:
            return 0.0
        if lost.code == SERVER_RESTARTS and (told := MOMENT.search(str(lost))):
            return int(told[1]) / 1000
        return self._random.random() * min(LONGEST_DELAY, FIRST_DELAY * 2.0**attempt)

    async def _connect(self) -> Any:
        ports = list(self.address.ports())
        self._random.shuffle(ports)
        for place, port in enumerate(ports):
            try:
                self._wire = await open_wire(port, self.trouble)
            except Lost:
                if place == len(ports) - 1:
                    raise
            else:
                break
        else:
            raise Lost("nobody listens")
        self.record.came_back.append(time.monotonic())
        assert self._wire is not None
        return self._channel(self._wire, port).frames()

    def _channel(self, wire: Wire, port: int) -> Channel:
        at = self.address
        if self.way is Way.EVENTS:
            return EventChannel(wire, port, at.cookie, at.stream, self.copy.position, at.share)
        return WebSocketChannel(
            wire, port, at.cookie, at.stream, self.copy.position, at.share or at.conversation, at.share
        )

    async def _take(self, frame: Json) -> bool:
        """Take a frame; return whether it was the last that there can be."""
        if frame.get("stream") != self.address.stream:
            return False
        if frame["type"] == "gone":
            await self._read_saved()
            return True
        epoch, text = self.copy.epoch, self.copy.text
        self.copy.take(frame)
        if self.copy.epoch != epoch:
            if text and not self.is_misled:
                self.record.forgotten.append(text)
            self.is_misled = False
        if self.copy.text != text and frame["type"] == "chunks":
            self.record.arrivals.append(time.monotonic())
        return self.copy.end is not None

    async def _read_saved(self) -> None:
        """The stream is gone: what is kept is in the conversation, as soon as it is settled."""
        if self.copy.text:
            self.record.forgotten.append(self.copy.text)
        while self.saved is None:
            self.saved = await asyncio.to_thread(self._answer_in_conversation)
            if self.saved is None:
                await asyncio.sleep(ASK_AGAIN)

    def _answer_in_conversation(self) -> Json | None:
        for port in self.address.ports():
            try:
                url = f"http://127.0.0.1:{port}/api/conversations/{self.address.conversation}"
                response = httpx2.get(url, headers={"Cookie": self.address.cookie}, timeout=30)
            except httpx2.TransportError:
                continue
            if response.status_code == 200:
                messages = json.loads(response.content)["messages"]
                found = [each for each in messages if each["stream"] == self.address.stream and each["ended_at"]]
                return found[0] if found else None
        return None
