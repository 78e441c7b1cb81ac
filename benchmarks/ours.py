"""Rejoinder, as a system that is measured: web processes as a deployment runs them, and one worker."""

import base64
import json
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum

import psutil
import redis
import sqlalchemy

import streams
from benchmarks.load import WORD
from benchmarks.stage import Stage
from faults.records import lasting, open_records, saved_answers
from tests.support.database import migrated, new_sqlite
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker

PATIENCE = 60.0  # seconds for what is written to be saved


class Way(Enum):
    """How clients follow."""

    WEBSOCKET = "WebSocket"
    EVENTS = "server-sent events"


class Ours:
    """See benchmarks.stage.System."""

    def __init__(
        self,
        url: str,
        port: int,
        web: list[psutil.Process],
        workers: list[psutil.Process],
        records: sqlalchemy.Engine,
        store: "redis.Redis",
    ) -> None:
        self.name = "Rejoinder"
        self.url = url
        self.port = port
        self._records = records
        self._store = store
        self.is_socket = True
        self.web = web
        self.workers = workers
        self.way = Way.WEBSOCKET
        self.visitor = Visitor(url)
        self._conversation: str | None = None

    def prepare(self) -> None:
        """Begin a conversation."""
        self._conversation = self.visitor.converse("measured")

    def begin(self, prompt: str) -> str:
        """In a conversation of its own."""
        conversation, self._conversation = self._conversation or self.visitor.converse("measured"), None
        return self.visitor.send(conversation, json.loads(prompt)).stream

    def openings(self, stream: str, position: str | None = None) -> list[bytes]:
        """By the page's WebSocket, or as server-sent events."""
        cookie = self.visitor.cookie
        if self.way is Way.EVENTS:
            return [events_request(self.port, stream, cookie, position)]
        follow = {"type": "follow", "stream": stream} | ({"position": position} if position else {})
        return [websocket_request(self.port, "/api/socket", cookie), client_frame(json.dumps(follow).encode())]

    def check(self, streams: Sequence[str], words: int) -> None:
        """As the fault suite does: the database has every answer, whole, and Redis keeps nothing for ever."""
        for stream in streams:
            wait_until(lambda: saved_answers(self._records, stream), PATIENCE, f"{stream} to be saved")  # noqa: B023
            [saved] = saved_answers(self._records, stream)
            numbers = [int(number) for number, _ in WORD.findall(saved.text.encode())]
            if (saved.outcome, numbers) != ("finished", list(range(words))):
                raise AssertionError(f"{stream} is {saved.outcome}, and has {len(numbers)} words of {words}")
        wait_until(lambda: not lasting([self._store]), PATIENCE, "Redis to keep nothing for ever")


@contextmanager
def running_ours(stage: Stage, *, webs: int = 1, concurrency: int = 1_000, **settings: str) -> Iterator[Ours]:
    """The whole of it, for the length of the block: one web server with so many processes, and one worker."""
    with ExitStack() as services:
        folder = stage.folder / f"ours-{len(list(stage.folder.iterdir()))}"
        folder.mkdir()
        database_url = migrated(new_sqlite(folder))
        # A machine that is busy measuring is not a dead worker; titles are requests to the model too; and the load
        # client answers no pings.
        common = {"STREAM_LEASE": "60", "TITLE_MODEL": "none", "HEARTBEAT_INTERVAL": "3600", **settings}
        url = stage.redis_server.url
        worker = services.enter_context(
            running_worker(
                folder,
                REDIS_URL=url,
                DATABASE_URL=database_url,
                OPENAI_BASE_URL=stage.model.base_url,
                WORKER_CONCURRENCY=str(concurrency),
                **common,
            )
        )
        environment = {**common, "WEB_CONCURRENCY": str(webs)}
        web = services.enter_context(
            running_web(redis_url=url, database_url=database_url, log=folder / "web.log", environment=environment)
        )
        records = open_records(database_url)
        store = services.enter_context(streams.connect(url))
        yield Ours(web.url, web.port, web.children(), [psutil.Process(worker.process.pid)], records, store)


def websocket_request(port: int, path: str, cookie: str = "") -> bytes:
    """The opening handshake (RFC 6455, section 4.1)."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *([f"Cookie: {cookie}"] if cookie else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def client_frame(data: bytes) -> bytes:
    """A text frame of a client's, masked with zeros, which change nothing (RFC 6455, section 5.3)."""
    size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
    return b"\x81" + size + bytes(4) + data


def events_request(port: int, stream: str, cookie: str, position: str | None = None) -> bytes:
    """A request for server-sent events."""
    lines = [
        f"GET /api/streams/{stream} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Accept: text/event-stream",
        f"Cookie: {cookie}",
        *([f"Last-Event-ID: {position}"] if position else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
