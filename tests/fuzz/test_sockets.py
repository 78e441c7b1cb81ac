"""Bytes of any kind on a real gunicorn: a problem, or a close code of PROTOCOL.md; and others goes on."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import example, given
from hypothesis import strategies as st

from streams import End, Kind, Outcome, StreamSettings, StreamWriters
from tests.fuzz.strategies import examples, mutated, text, values, written
from tests.support.socket_client import connected
from tests.support.web_process import WebProcess
from tests.webapp.people import cookie_of, send
from webapp.services import Services

pytestmark = pytest.mark.timeout(400)

PATIENCE = 60.0  # seconds in which everything must be answered
CODES = {1000, 1001, 1002, 1007, 1008, 1009}  # PROTOCOL.md: what a client's own fault is answered with
MASK = b"\x01\x02\x03\x04"
PING = json.dumps({"type": "ping"}).encode()
TEXT, BINARY, CLOSE = 1, 2, 8


def frame(
    payload: bytes, opcode: int = TEXT, *, fin: int = 1, reserved: int = 0, masked: int = 1, length: int | None = None
) -> bytes:
    """As a client sends it (RFC 6455, section 5.2), right or wrong."""
    said = len(payload) if length is None else length
    first = fin << 7 | reserved << 4 | opcode
    if said < 126:
        head = struct.pack("!BB", first, masked << 7 | said)
    elif said < 65_536:
        head = struct.pack("!BBH", first, masked << 7 | 126, said)
    else:
        head = struct.pack("!BBQ", first, masked << 7 | 127, said)
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))


class RawSocket:
    """A WebSocket whose every byte a test decides."""

    def __init__(self, port: int, headers: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.sendall(headers)
        self._data = b""
        self.status = int(self._read_until(b"\r\n\r\n").split(b" ", 2)[1])

    def say(self, data: bytes) -> None:
        with suppress(ConnectionError):  # it has hung up already; what it said can still be read
            self._socket.sendall(data)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """What comes, until the server hangs up."""
        with suppress(ConnectionError):
            while True:
                head = self._read(2)
                length = head[1]
                if length >= 126:
                    length = int.from_bytes(self._read(2 if length == 126 else 8))
                yield head[0] & 15, self._read(length)

    def close(self) -> None:
        self._socket.close()

    def _read(self, size: int) -> bytes:
        while len(self._data) < size:
            self._more()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._data:
            self._more()
        taken, _, self._data = self._data.partition(mark)
        return taken

    def _more(self) -> None:
        """Raises TimeoutError where nothing comes: that is what no test may see."""
        if not (data := self._socket.recv(65_536)):
            raise ConnectionError
        self._data += data


class World:
    """Ada with a stream that has ended and one that is queued, and a stream of somebody else's."""

    def __init__(self, web: WebProcess, app: OpenAPI, services: Services) -> None:
        self.web = web
        ada, eve = app.test_client(), app.test_client()
        self.conversation, self.ended = self._begin(ada)
        _, self.queued = self._begin(ada)
        self.foreign = self._begin(eve)
        self.cookie = cookie_of(ada)
        writers = StreamWriters(services.redis, StreamSettings())
        writers.start()
        with writers.open(self.ended) as writer:
            writer.append(Kind.TEXT, "Lace")
            writer.end(End(Outcome.FINISHED))
            assert writer.wait_flushed(PATIENCE)
            self.epoch = writer.epoch
        writers.close()

    def _begin(self, person: FlaskClient) -> tuple[str, str]:
        conversation = str(person.post("/api/conversations").get_json()["id"])
        return conversation, str(send(person, conversation)["stream"])

    @property
    def handshake(self) -> bytes:
        return (
            "GET /api/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {self.cookie}\r\n\r\n"
        ).encode()

    def outcome(self, *said: bytes) -> tuple[list[dict[str, Any]], int | None]:
        """What a socket is answered that says this and then pings: frames, and a close code if there was one."""
        answered: list[dict[str, Any]] = []
        with closing(RawSocket(self.web.port, self.handshake)) as raw:
            assert raw.status == 101
            for data in (*said, frame(PING)):
                raw.say(data)
            for opcode, payload in raw.frames():
                if opcode == CLOSE:
                    return answered, int.from_bytes(payload[:2]) if payload else 1005
                if opcode == TEXT:
                    answered.append(json.loads(payload))
                    if answered[-1]["type"] == "pong":
                        return answered, None
        return answered, 1006


@pytest.fixture(scope="module")
def world(web: WebProcess, app: OpenAPI, services: Services) -> Iterator[World]:
    """At the end, somebody who was there all the time is still served, and the log shows no fault."""
    world = World(web, app, services)
    with connected(web.url, world.cookie) as bystander:
        yield world
        bystander.say(type="follow", stream=world.ended)
        assert bystander.receive_until("end")
        assert bystander.text == "Lace"
    assert web.is_alive()
    log = web.log.read_text()
    assert "Traceback" not in log, log[-5000:]


# --- frames

client_frames = st.sampled_from(
    [
        {"type": "follow", "stream": "s", "position": "3f9:2"},
        {"type": "unfollow", "stream": "s"},
        {"type": "watch", "conversation": "c", "version": 1, "remarks": 0, "viewers": 1},
        {"type": "unwatch", "conversation": "c"},
        {"type": "watch_list"},
        {"type": "ping"},
    ]
)
NAMES = ["type", "stream", "position", "conversation", "version", "remarks", "viewers"]


@examples(150)
@given(
    st.one_of(
        client_frames.flatmap(lambda whole: mutated(whole, NAMES)).map(lambda value: written(value).encode()),
        values(NAMES).map(lambda value: written(value).encode()),
        st.binary(max_size=60),
    ),
    st.sampled_from([TEXT, BINARY]),
)
@example(b"[" * 16_000, TEXT)
@example(b'{"type":' * 2_000, TEXT)
@example(b'{"type": "follow", "stream": "\\u0000"}', TEXT)
@example(b'{"type": "watch", "conversation": "c", "version": 1e400}', TEXT)
@example(b"", TEXT)
def test_a_frame_of_any_content_is_answered_or_closed_with_1007(world: World, content: bytes, opcode: int) -> None:
    _, code = world.outcome(frame(content, opcode))
    assert code in {None, 1007}


words = st.one_of(
    text.filter(bool).map(lambda name: name.encode("utf-8", "replace").decode()),
    st.sampled_from(["ended", "queued", "foreign", "conversation", "st_never"]),
)
indices = st.one_of(
    st.integers(-1, 3).map(str), st.integers(10**14, 10**17).map(str), st.sampled_from(["٣", "1_0", " 1"])
)
positions = st.one_of(
    st.none(),
    text.map(lambda name: name.encode("utf-8", "replace").decode()),
    st.tuples(st.sampled_from(["", "epoch", "other", "e p", "é", "a:b", "\0"]), indices).map(":".join),
)
counts = st.one_of(st.integers(0, 3), st.just(2**31 - 1))
wild = st.one_of(
    st.fixed_dictionaries({"type": st.just("follow"), "stream": words}, optional={"position": positions}),
    st.fixed_dictionaries({"type": st.just("unfollow"), "stream": words}),
    st.fixed_dictionaries(
        {"type": st.just("watch"), "conversation": words, "version": counts},
        optional={"remarks": st.one_of(st.none(), counts), "viewers": counts},
    ),
    st.fixed_dictionaries({"type": st.just("unwatch"), "conversation": words}),
    st.just({"type": "watch_list"}),
)


@examples(100)
@given(st.lists(wild, max_size=12))
def test_right_frames_in_any_order_with_any_values_leave_the_socket_open(
    world: World, said: list[dict[str, Any]]
) -> None:
    def real(value: Any) -> Any:
        known = {"ended": world.ended, "queued": world.queued, "foreign": world.foreign[1]}
        known["conversation"] = world.conversation
        if isinstance(value, str):
            return known.get(value, value.replace("epoch:", f"{world.epoch}:"))
        return value

    frames = [{name: real(value) for name, value in each.items()} for each in said]
    answered, code = world.outcome(*(frame(json.dumps(each).encode()) for each in frames))
    assert code is None
    for each in answered:
        if each["type"] in {"problem", "gone"}:
            assert each["problem"]["status"] in {400, 404}
            assert each["problem"]["detail"]
        assert each.get("stream") != world.foreign[1] or each["type"] in {"gone", "problem"}


raw_frames = st.one_of(
    st.binary(max_size=40),
    st.builds(
        frame,
        st.one_of(st.binary(max_size=200), st.just(PING), st.just("é".encode()[:1])),
        st.integers(0, 15),
        fin=st.integers(0, 1),
        reserved=st.sampled_from([0, 0, 0, 1, 4, 7]),
        masked=st.sampled_from([1, 1, 1, 0]),
    ),
)


@examples(200)
@given(st.lists(raw_frames, min_size=1, max_size=5))
@example([frame(struct.pack("!H", 999), CLOSE)])
@example([frame(b"\x03", CLOSE)])
@example([frame(struct.pack("!H", 1000) + b"\xff", CLOSE)])
@example([frame(b"a", fin=0), frame(b"b", 9), frame(b"c", 0, fin=0), frame(b"", 0)])
@example([frame(b"\xc3", fin=0), frame(b"\xa9", 0)])
@example([frame(PING[:5], fin=0), *[frame(b"", 0, fin=0)] * 50, frame(PING[5:], 0)])
def test_frames_of_any_shape_are_answered_or_closed_with_a_code_that_is_described(
    world: World, said: list[bytes]
) -> None:
    # What is no frame may promise bytes: with these it has them, and the ping is read if it has none to come.
    _, code = world.outcome(*said, *[frame(PING, fin=1)] * 8, b"\0" * 70_000)
    own = {*range(1000, 1016), *range(3000, 5000), 1005}  # a client that closes is answered with its own code, or none
    assert code in {None, 1006, *CODES, *own}


@pytest.mark.parametrize("length", [16_385, 65_536, 2**20, 2**40, 2**63 - 1, 2**63])
def test_a_frame_that_promises_too_much_is_not_waited_for(world: World, length: int) -> None:
    _, code = world.outcome(frame(b" " * 40_000, length=length))
    assert code in {1009, 1002, 1006}  # 1006: bytes under way when the connection was closed


def test_a_message_in_endless_parts_is_not_kept(world: World) -> None:
    parts = [frame(b" " * 1_000, fin=0), *[frame(b" " * 1_000, 0, fin=0)] * 30]
    assert world.outcome(*parts)[1] in {1009, 1006}


# --- handshakes


def test_a_handshake_cut_at_any_byte_holds_up_nobody(world: World) -> None:
    for place in range(len(world.handshake)):
        with socket.create_connection(("127.0.0.1", world.web.port), timeout=PATIENCE) as half:
            half.sendall(world.handshake[:place])
    assert world.outcome() == ([world.outcome()[0][0], {"type": "pong"}], None)


header_values = st.one_of(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30),
    st.sampled_from(
        ["websocket", "Upgrade", "upgrade, x", "13", "8", "http://[", "permessage-deflate", ", ,", "é", "a" * 9000]
    ),
)
header_names = st.sampled_from(
    [
        "Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions", "Origin", "Host", "Cookie", "X-Forwarded-Proto", "Content-Length",
        "Transfer-Encoding", "Expect", "Accept", "Range", "Last-Event-ID",
    ]
)  # fmt: skip


@examples(150)
@given(st.lists(st.tuples(header_names, header_values), min_size=1, max_size=3), st.sampled_from(["1.1", "1.0"]))
@example([("Origin", "http://[")], "1.1")
@example([("Connection", "close")], "1.1")
@example([("Connection", "Upgrade, \xa0")], "1.1")
@example([("Host", "[")], "1.1")
@example([("Host", "")], "1.1")
@example([("Host", "a" * 70 + ".example")], "1.1")
@example([("Sec-WebSocket-Protocol", "\xa0")], "1.1")
def test_a_handshake_with_any_headers_is_one_or_refused(
    world: World, changed: list[tuple[str, str]], version: str
) -> None:
    first, *lines = world.handshake.decode().rstrip().split("\r\n")
    kept = [line for line in lines if line.partition(":")[0] not in {name for name, _ in changed}]
    head = [first.replace("1.1", version), *kept, *(f"{name}: {value}" for name, value in changed), "", ""]
    try:
        raw = RawSocket(world.web.port, "\r\n".join(head).encode("latin-1"))
    except ConnectionError:
        return  # gunicorn does not take every request for one
    with closing(raw):
        # 501 is gunicorn's word for a Transfer-Encoding that it does not know.
        assert raw.status in {101, 501} or 400 <= raw.status < 500, "\r\n".join(head)


# --- positions over HTTP


@examples(150)
@given(
    st.one_of(
        st.binary(max_size=30).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b"")),
        st.tuples(st.sampled_from(["EPOCH", "other", "e p", "é", "a:b"]), indices).map(lambda p: ":".join(p).encode()),
    ),
    st.sampled_from(["query", "header"]),
    st.sampled_from(["application/json", "text/event-stream", "text/*;q=nan", ""]),
)
@example(b"EPOCH:999999999999999", "header", "text/event-stream")
@example(b"EPOCH:1000000000000000", "header", "text/event-stream")
@example("EPOCH:\N{FULLWIDTH DIGIT ONE}".encode(), "header", "application/json")
@example(b" EPOCH:1 ", "query", "application/json")
def test_a_position_of_any_bytes_is_served_rightly_or_refused(
    world: World, position: bytes, place: str, accept: str
) -> None:
    position = position.replace(b"EPOCH", world.epoch.encode())
    where = b"?position=" + "".join(f"%{byte:02x}" for byte in position).encode() if place == "query" else b""
    lines = [
        b"GET /api/streams/" + world.ended.encode() + where + b" HTTP/1.1",
        b"Host: x",
        b"Connection: close",
        b"Cookie: " + world.cookie.encode(),
        b"Accept: " + accept.encode(),
        *([b"Last-Event-ID: " + position] if place == "header" else []),
        b"\r\n",
    ]
    status, body = ask(world.web.port, b"\r\n".join(lines))
    assert status in {200, 204, 400}
    if status == 400 and body.startswith(b"{"):  # else it is gunicorn's, about the header
        assert "position" in json.loads(body)["detail"]
    elif status == 200:
        assert b'"finished"' in body
        assert b"Lace" in body or position.strip().startswith(world.epoch.encode())


@pytest.mark.parametrize("where", ["query", "header", "cookie"])
def test_ten_megabytes_of_header_are_refused(world: World, where: str) -> None:
    long = b"x" * 10_000_000
    target = b"/api/streams/s" + (b"?position=" + long if where == "query" else b"")
    name = {"query": b"X", "header": b"Last-Event-ID", "cookie": b"Cookie"}[where]
    value = b"x" if where == "query" else long
    with suppress(ConnectionError):
        status, _ = ask(
            world.web.port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n" + name + b": " + value + b"\r\n\r\n"
        )
        assert status in {400, 414, 431}


def ask(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and body. The server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        answer = b""
        while data := connection.recv(65_536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        raise ConnectionError
    if b"chunked" in head.lower():
        body = body.partition(b"\r\n")[2]
    return int(head.split(b" ", 2)[1]), body
