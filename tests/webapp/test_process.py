"""The web process as it is deployed: gunicorn, gevent, a port."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from streams import StreamControl, StreamSettings, connect, keys
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.web_process import PROJECT, WebProcess, running_web

pytestmark = pytest.mark.timeout(400)  # a start takes two seconds, and minutes where the machine is busy with much else


@pytest.fixture
def web(redis_server: RedisServer, database_url: str, tmp_path: Path) -> Iterator[WebProcess]:
    with running_web(redis_url=redis_server.url, database_url=database_url, log=tmp_path / "web.log") as process:
        yield process


class Browser:
    """One kept-alive connection and its cookie."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection
        self.cookie = ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the answer."""
        headers = {"Content-Type": "application/json", "Cookie": self.cookie}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        self.cookie = (response.headers["Set-Cookie"] or self.cookie).partition(";")[0]
        return response.status, json.loads(response.read() or b"null")


def test_a_message_becomes_a_job_its_end_is_saved_and_sigterm_ends_the_process(
    web: WebProcess, redis_server: RedisServer
) -> None:
    with closing(HTTPConnection("127.0.0.1", web.port, timeout=120)) as connection:
        leave_a_message(Browser(connection), redis_server)
    assert web.terminate(timeout=60) == 0
    assert "graceful timeout" not in web.log.read_text()  # gunicorn's words for having waited in vain
    assert "Traceback" not in web.log.read_text()


def leave_a_message(browser: Browser, redis_server: RedisServer) -> None:
    """For a worker that ends it, and dies before it saves: the reaper of the web process does."""
    assert browser.ask("GET", "/readyz") == (200, {"redis": "ok", "streams": "ok", "database": "ok"})
    _, conversation = browser.ask("POST", "/api/conversations", {})
    path = f"/api/conversations/{conversation['id']}"
    status, sent = browser.ask("POST", f"{path}/messages", {"content": "Why?"})
    assert status == 202

    with connect(redis_server.url) as redis:
        queue = Queue("generations", connection=redis, serializer=JSONSerializer)
        assert queue.get_job_ids() == [sent["stream"]]
        StreamControl(redis, StreamSettings()).ask_cancel(sent["stream"])
        wait_until(lambda: redis.zcard(keys.UNSETTLED) == 0, what="the reaper")
    _, page = browser.ask("GET", "/api/conversations")
    assert page["items"][0]["generating"] is None


def test_a_process_without_a_key_says_so_and_ends(redis_server: RedisServer) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.wsgi:app"],
        cwd=PROJECT,
        env={**environment, "REDIS_URL": redis_server.url, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert ended.returncode != 0
    assert "SECRET_KEY is missing" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_of_the_logs_is_named_before_anything_starts(redis_server: RedisServer) -> None:
    ended = subprocess.run(
        [Path(sys.executable).with_name("gunicorn"), "-c", "webapp/gunicorn_conf.py", "webapp.wsgi:app"],
        cwd=PROJECT,
        env={**os.environ, "REDIS_URL": redis_server.url, "PORT": "0", "LOG_FORMAT": "xml"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert ended.returncode != 0
    assert "LOG_FORMAT='xml': expected json or text" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("PORT", "0"), ("PORT", "65536"), ("WEB_CONCURRENCY", "0"), ("LOG_LEVEL", "loud")],
)
def test_what_gunicorn_is_told_wrongly_ends_it_with_a_line_that_names_it(name: str, value: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "webapp/gunicorn_conf.py", "webapp.wsgi:app"],
        cwd=PROJECT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 4
    assert ended.stderr.startswith(f"The web process cannot start:\n  {name}={value!r}: expected ")
    assert "Traceback" not in ended.stderr
