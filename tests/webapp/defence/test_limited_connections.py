"""Sockets and event streams that are too many, or say too much, on a real gunicorn with two processes."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection

import pytest
from flask.testing import FlaskClient
from websockets.exceptions import ConnectionClosed

from tests.support.redis_server import RedisServer
from tests.support.socket_client import SocketClient, connected, connection_to
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.webapp.people import cookie_of, share

pytestmark = pytest.mark.timeout(400)

STRICT = {"CONNECTIONS_PER_IDENTITY": "3", "FRAMES_PER_SECOND": "2", "SHARE_GUESSES": "2/hour", "WEB_CONCURRENCY": "2"}


@pytest.fixture(scope="module")
def strict_web(
    shared_redis: RedisServer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebProcess]:
    log = tmp_path_factory.mktemp("web") / "web.log"
    with running_web(redis_url=shared_redis.url, database_url=database_url, log=log, environment=STRICT) as web:
        yield web


def event_stream(web: WebProcess, cookie: str, stream: str) -> HTTPConnection:
    """A request for one; the answer has not been read."""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    headers = {"Accept": "text/event-stream", "Cookie": cookie}
    connection.request("GET", f"/api/streams/{stream}", headers=headers)
    return connection


def test_an_identity_has_so_many_sockets_and_event_streams_open_in_all_processes(
    strict_web: WebProcess, ada: FlaskClient, eve: FlaskClient, stream: str
) -> None:
    cookie = cookie_of(ada)
    with ExitStack() as opened:
        for _ in range(2):
            opened.enter_context(connected(strict_web.url, cookie))
        followed = event_stream(strict_web, cookie, stream)
        assert followed.getresponse().status == 200

        refused = event_stream(strict_web, cookie, stream)
        answer = refused.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
        refused.close()
        code, reason = refusal(strict_web, cookie)
        assert code == 4429
        assert reason.startswith("You have 3 connections open, and that is the most.")
        with connected(strict_web.url, cookie_of(eve)):
            pass  # is somebody else
        followed.close()

    def comes_in() -> bool:
        try:
            with connected(strict_web.url, cookie):
                return True
        except ConnectionClosed:
            return False

    wait_until(comes_in, what="the connections to be counted out")


def test_a_page_that_says_too_much_is_closed_and_its_frames_before_were_answered(
    strict_web: WebProcess,
    ada: FlaskClient,
    conversation: str,  # noqa: ARG001
) -> None:
    with connected(strict_web.url, cookie_of(ada)) as page:
        assert ping(page, 20) == 20
        with suppress(ConnectionClosed):
            for _ in range(200):  # more than a minute and a half allows, however slow this machine is
                page.say(type="ping")
        assert page.closed() == (4429, "This page says more than 2 frames a second. Come back later.")


def test_a_socket_by_a_link_that_leads_nowhere_is_a_guess(
    strict_web: WebProcess, eve: FlaskClient, ada: FlaskClient, conversation: str
) -> None:
    link, cookie = share(ada, conversation), cookie_of(eve)
    assert [refusal(strict_web, cookie, "x" * 22)[0] for _ in range(3)] == [4404, 4404, 4429]
    assert refusal(strict_web, cookie, link)[0] == 4429
    with connected(strict_web.url, cookie_of(ada), link):
        pass  # who has not guessed is let in


def refusal(web: WebProcess, cookie: str, link: str | None = None) -> tuple[int, str]:
    """The close code of a socket that is not let in, and the reason."""
    with connection_to(web.url, cookie, link) as connection, pytest.raises(ConnectionClosed) as closed:
        SocketClient(connection)
    assert closed.value.rcvd
    return closed.value.rcvd.code, closed.value.rcvd.reason


def ping(page: SocketClient, times: int) -> int:
    """Say so many pings; how many are answered."""
    for _ in range(times):
        page.say(type="ping")
    return sum(page.receive()["type"] == "pong" for _ in range(times))
