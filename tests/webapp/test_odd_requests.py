"""What no browser sends, by a real server: it is refused in one line of the log, and the server goes on."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.redis_server import RedisServer
from tests.support.web_process import WebProcess, running_web

pytestmark = pytest.mark.timeout(400)

HOST = b"Host: localhost\r\n"
POST = b"POST /api/conversations HTTP/1.1\r\n" + HOST
# What another server might read as a second request.
INSIDE = b"0\r\n\r\nGET /api/conversations HTTP/1.1\r\nHost: localhost\r\n\r\n"
ODD = {
    "two ways to tell the length": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + INSIDE,
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 0\r\n\r\n" + INSIDE,
    "a length that is none": POST + b"Content-Length: +4\r\n\r\n" + INSIDE,
    "two encodings": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + INSIDE,
    "an encoding with a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n" + INSIDE,
    "an encoding after a tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + INSIDE,
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "lines without a return": b"GET / HTTP/1.1\nHost: a\n\n",
    "a header that goes on": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\r\n b\r\n\r\n",
    "a zero byte": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\0b\r\n\r\n",
    "escapes in the path": b"GET /\x1b[31mred HTTP/1.1\r\n" + HOST + b"\r\n",
    "a proxy that is none": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: a\r\n" % number for number in range(500)) + b"\r\n",
}


@pytest.fixture(scope="module")
def server(
    shared_redis: RedisServer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebProcess]:
    log = tmp_path_factory.mktemp("web") / "web.log"
    environment = {"ACCESS_LOG": "1"}
    with running_web(redis_url=shared_redis.url, database_url=database_url, log=log, environment=environment) as web:
        yield web


@pytest.mark.parametrize("request_", ODD.values(), ids=ODD)
def test_what_can_be_read_in_two_ways_is_refused_and_ends_the_connection(server: WebProcess, request_: bytes) -> None:
    before = len(server.log.read_text())
    told = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request_)
        while part := connection.recv(65_536):
            told += part
    assert told.startswith(b"HTTP/1.1 4")
    assert told.count(b"HTTP/1.1 ") == 1
    assert server.is_alive()
    said = server.log.read_text()[before:]
    assert "Traceback" not in said
    assert "\x1b" not in said
