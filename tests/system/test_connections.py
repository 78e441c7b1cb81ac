"""One web process and one worker fit into the smallest hosted Redis, which allows 20 connections."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import redis

from rejoinder.checks.redis_server import WEB_CONNECTIONS, WORKER_CONNECTIONS
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
from tests.support.socket_client import connected
from tests.support.tcp_proxy import running_proxy
from tests.support.visitor import Visitor
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker

ALLOWED = 20
AT_ONCE = 40


def test_a_crowd_is_answered_over_no_more_connections_than_were_promised(tmp_path: Path) -> None:
    database_url = migrated(new_sqlite(tmp_path))
    with running_redis() as server, running_scripted_model() as model, redis.Redis.from_url(server.url) as client:
        client.config_set("maxclients", ALLOWED)  # this client is one of them
        brought = {"REDIS_URL": server.url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url}
        with (
            running_worker(tmp_path, **brought),
            running_web(redis_url=server.url, database_url=database_url, log=tmp_path / "web.log") as web,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            visitor = Visitor(web.url)
            visitor.ask("first", {"deltas": ["x"]}).wait(60)
            script = {"deltas": ["Here ", "I am."], "pace": 0.2}
            answers = list(pool.map(lambda number: visitor.ask(f"{number}", script), range(AT_ONCE)))
            list(pool.map(lambda answer: answer.wait(120), answers))
            assert {answer.recording()["text"] for answer in answers} == {"Here I am."}
            most = len(client.client_list()) - 1
            assert most <= WEB_CONNECTIONS + WORKER_CONNECTIONS < ALLOWED
        assert "max number of clients" not in (tmp_path / "web.log").read_text()


def test_a_router_that_cuts_idle_connections_cuts_none_that_waits_for_a_silent_model(tmp_path: Path) -> None:
    """Heroku's does after 55 seconds, of which the heartbeat leaves half: here it is all six times as fast."""
    database_url = migrated(new_sqlite(tmp_path))
    heartbeat, idle = {"HEARTBEAT_INTERVAL": "3"}, 8.4
    with (
        running_redis() as server,
        running_web(
            redis_url=server.url, database_url=database_url, log=tmp_path / "web.log", environment=heartbeat
        ) as web,
        running_proxy(web.port, idle) as router,
        ExitStack() as opened,
    ):
        visitor = Visitor(web.url)
        stream = visitor.ask("silent", {"deltas": ["never"]}).stream  # no worker is there
        events = opened.enter_context(closing(HTTPConnection("127.0.0.1", router.port, timeout=60)))
        wanted = {"Accept": "text/event-stream", "Cookie": visitor.cookie}
        events.request("GET", f"/api/streams/{stream}", headers=wanted)
        following = events.getresponse()
        with connected(router.url, visitor.cookie) as page:
            page.say(type="follow", stream=stream)
            page.receive_until("following")
            with socket.create_connection(("127.0.0.1", router.port)) as idler:  # it does cut those that say nothing
                idler.settimeout(60)
                assert idler.recv(1) == b""
            visitor.stop(stream)
            page.receive_until("end")
        assert b"Stopped before the answer began." in following.read()
