"""Behind nginx and Caddy, with the files that docs/deploy has for them: answers come word by word, and resume."""

import json
import secrets
import ssl
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.caddy import running_caddy
from tests.support.database import migrated, new_sqlite
from tests.support.nginx import running_nginx
from tests.support.ports import free_port
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.slug import PROJECT
from tests.support.socket_client import SocketClient
from tests.support.visitor import Visitor
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import running_worker

pytestmark = pytest.mark.timeout(600)  # starts processes


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with running_scripted_model() as model:
        yield model


@pytest.fixture(scope="module")
def web(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """A web process that knows of one proxy before it, and a worker."""
    folder = tmp_path_factory.mktemp("behind")
    url, proxied = migrated(new_sqlite(folder)), {"TRUSTED_PROXIES": "1"}
    with (
        running_redis() as redis,
        running_worker(folder, REDIS_URL=redis.url, DATABASE_URL=url, OPENAI_BASE_URL=model.base_url),
        running_web(redis_url=redis.url, database_url=url, log=folder / "web.log", environment=proxied) as web,
    ):
        yield web


@pytest.fixture(params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, web: WebProcess, tmp_path: Path
) -> Iterator[tuple[str, ssl.SSLContext | None]]:
    """Where it is reached, and what trusts its certificate where it has one."""
    if request.param == "nginx":
        with running_nginx(web.port, tmp_path) as reached:
            yield reached
    else:
        port = free_port()
        site = f"http://127.0.0.1:{port}"  # a certificate of its own Caddy gets from others, over the network
        config = PROJECT / "docs" / "deploy" / "Caddyfile"
        with running_caddy(config, port, tmp_path, {"SITE": site, "UPSTREAMS": f"127.0.0.1:{web.port}"}):
            yield site, None


@pytest.fixture
def gate() -> str:
    """One for each test: what waits there when a test has failed keeps nobody else's."""
    return secrets.token_hex(4)


def script(gate: str) -> dict[str, Any]:
    return {"deltas": ["Here ", {"wait": gate}, "I am."]}


def followed(front: tuple[str, ssl.SSLContext | None], cookie: str) -> ClientConnection:
    url, trusting = front
    return connect(url.replace("http", "ws", 1) + "/api/socket", additional_headers={"Cookie": cookie}, ssl=trusting)


def test_over_a_websocket_words_come_as_they_are_written_and_a_lost_connection_resumes(
    front: tuple[str, ssl.SSLContext | None], model: ScriptedModel, gate: str
) -> None:
    visitor = Visitor(*front)
    answer = visitor.ask("behind a proxy", script(gate))
    with followed(front, visitor.cookie) as connection:
        page = SocketClient(connection)
        page.say(type="follow", stream=answer.stream)
        page.receive_text("Here ")
    model.release(gate)
    with followed(front, visitor.cookie) as connection:
        again = SocketClient(connection)
        again.copy = page.copy  # what a page keeps
        again.say(type="follow", stream=answer.stream, position=page.position)
        again.receive_until("end")
        assert again.text == "Here I am."


def test_as_server_sent_events_words_come_as_they_are_written_and_a_lost_connection_resumes(
    front: tuple[str, ssl.SSLContext | None], model: ScriptedModel, gate: str
) -> None:
    visitor = Visitor(*front)
    answer = visitor.ask("behind a proxy", script(gate))
    path = f"/api/streams/{answer.stream}"
    with closing(connection_to(front)) as connection:
        connection.request("GET", path, headers={"Accept": "text/event-stream", "Cookie": visitor.cookie})
        position, text = "", ""
        response = connection.getresponse()
        while text != "Here ":  # which nobody can have collected: the model says no more before it is released
            position, frame = next_event(response)
            text += frame.get("text") or ""
    model.release(gate)
    with closing(connection_to(front)) as connection:
        headers = {"Accept": "text/event-stream", "Cookie": visitor.cookie, "Last-Event-ID": position}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        while frame["type"] != "end":
            position, frame = next_event(response)
            text += frame.get("text") or ""
    assert text == "Here I am."


def test_cookies_are_secure_where_the_front_speaks_tls(front: tuple[str, ssl.SSLContext | None]) -> None:
    with closing(connection_to(front)) as connection:
        connection.request("POST", "/api/conversations", "{}", {"Content-Type": "application/json"})
        cookie = connection.getresponse().headers["Set-Cookie"]
    assert ("Secure" in cookie) == front[0].startswith("https")


def test_what_is_for_those_who_run_it_is_not_shown_outside(front: tuple[str, ssl.SSLContext | None]) -> None:
    for path in ("/metrics", "/readyz"):
        with closing(connection_to(front)) as connection:
            connection.request("GET", path)
            assert connection.getresponse().status == 404


def connection_to(front: tuple[str, ssl.SSLContext | None]) -> HTTPConnection:
    url, trusting = front
    place = urlsplit(url)
    assert place.hostname
    if trusting:
        return HTTPSConnection(place.hostname, place.port, timeout=60, context=trusting)
    return HTTPConnection(place.hostname, place.port, timeout=60)


def next_event(response: HTTPResponse) -> tuple[str, dict[str, Any]]:
    """The id and the data of the next event that has some."""
    position = ""
    while line := response.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        if name == "id":
            position = value
        elif name == "data":
            frame: dict[str, Any] = json.loads(value)
            return position, frame
    raise EOFError
