"""One web process and one worker fit into the smallest hosted Redis, which allows 20 connections."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis

from rejoinder.checks.redis_server import WEB_CONNECTIONS, WORKER_CONNECTIONS
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
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
            running_worker(tmp_path, STREAM_LEASE="60", **brought),
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
