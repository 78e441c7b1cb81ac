"""A reader that is slower than the answer: every frame is whole, nobody else waits, and abuse ends.

simple-websocket writes short under gevent (its issue 45), which tears frames apart just here; see
webapp/following/sockets.py.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent.socket
import pytest
from flask.testing import FlaskClient
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from streams import End, Kind, Outcome, StreamWriter
from tests.support.slow_socket import RECEIVE_BUFFER, SlowSocket
from tests.support.socket_client import connected
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess
from tests.webapp.people import cookie_of
from webapp.following.sockets import Outlet

pytestmark = pytest.mark.timeout(400)

DELTAS = [f"{number:05} " + "naïve 東京 🙂 " * 800 for number in range(250)]  # 20 kB each, 5 MB in all


@contextmanager
def slow(web: WebProcess, cookie: str) -> Iterator[SlowSocket]:
    client = SlowSocket(web.port, cookie)
    try:
        yield client
    finally:
        client.close()


def test_a_slow_reader_gets_every_frame_whole_with_pings_in_between_and_nobody_waits_for_it(
    web: WebProcess,
    ada: FlaskClient,
    stream: str,
    begin: Callable[[str], StreamWriter],
) -> None:
    writer = begin(stream)
    with slow(web, cookie_of(ada)) as reader, connected(web.url, cookie_of(ada)) as quick:
        for viewer in (reader.say_frame, quick.say):
            viewer(type="follow", stream=stream)
        for delta in DELTAS:
            writer.append(Kind.TEXT, delta)
        writer.end(End(Outcome.FINISHED))
        quick.receive_until("end")
        assert quick.text == "".join(DELTAS), "who reads has it all before the slow one has begun to"

        pings, pongs, text, ended = 0, 0, "", False
        message = ""
        while not ended or pongs < pings:
            if not ended and pings < 30:
                reader.say(Ping(b"%d" % pings))
                pings += 1
            for event in reader.read(1000 * (1 + pings)):
                assert not isinstance(event, CloseConnection), "the slow one was closed"
                if isinstance(event, Pong):
                    assert bytes(event.payload) == b"%d" % pongs
                    pongs += 1
                elif isinstance(event, TextMessage):
                    message += event.data
                    if event.message_finished:
                        frame, message = json.loads(message), ""
                        text += frame.get("text", "")
                        ended = frame["type"] == "end"
        assert text == "".join(DELTAS)
        assert pongs == 30


def test_a_client_that_makes_us_answer_but_does_not_read_is_cut_off(
    web: WebProcess,
    ada: FlaskClient,
    stream: str,
    begin: Callable[[str], StreamWriter],
) -> None:
    writer = begin(stream)
    with slow(web, cookie_of(ada)) as reader:
        reader.say_frame(type="follow", stream=stream)
        for delta in DELTAS:
            writer.append(Kind.TEXT, delta)
        wait_until(lambda: not writer.is_pending)
        wait_until(lambda: refuses(reader), what="the connection to be cut")
    wait_until(lambda: "cut off a client that does not read" in web.log.read_text())


def refuses(client: SlowSocket) -> bool:
    """Whether one more ping breaks the connection."""
    try:
        client.say_frame(type="ping")
    except ConnectionError:
        return True
    return False


def test_events_go_whole_to_a_slow_reader_too(
    web: WebProcess,
    ada: FlaskClient,
    stream: str,
    begin: Callable[[str], StreamWriter],
) -> None:
    writer = begin(stream)
    for delta in DELTAS:
        writer.append(Kind.TEXT, delta)
    writer.end(End(Outcome.FINISHED))
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        reader.settimeout(60)
        reader.connect(("127.0.0.1", web.port))
        request = f"GET /api/streams/{stream} HTTP/1.0\r\nAccept: text/event-stream\r\nCookie: {cookie_of(ada)}\r\n\r\n"
        reader.sendall(request.encode())
        wait_until(writer.wait_flushed)
        received = bytearray()
        while data := reader.recv(50_000):
            received += data
    events = received.decode().partition("\r\n\r\n")[2].split("\n\n")
    frames = [json.loads(line[6:]) for event in events for line in event.splitlines() if line.startswith("data: ")]
    assert "".join(frame.get("text", "") for frame in frames) == "".join(DELTAS)
    assert frames[-1]["type"] == "end"


def test_a_fault_while_writing_cuts_the_connection_instead_of_leaving_it_silent() -> None:
    def broken() -> bytes | None:
        raise LookupError

    ours, theirs = gevent.socket.socketpair()
    with ours, theirs:
        theirs.settimeout(60)
        outlet = Outlet(ours)
        outlet.refill = broken
        outlet.drain()
        assert theirs.recv(1) == b""
