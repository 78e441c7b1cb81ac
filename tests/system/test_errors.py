"""What two real processes tell a Sentry of faults of ours, and what they keep to themselves."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
from tests.support.sentry_server import running_sentry
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker, started_worker

QUESTION, ANSWER, TITLE = "Does a walrus blush?", "Only when asked.", "Of walruses"


def test_a_fault_is_told_with_its_place_and_ids_and_without_words_cookies_or_shares(tmp_path: Path) -> None:
    database_url = migrated(new_sqlite(tmp_path))
    with (
        running_sentry() as sentry,
        running_redis() as redis,
        running_scripted_model() as model,
        closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)) as database,
    ):
        told = {"SENTRY_DSN": sentry.dsn, "SENTRY_ENVIRONMENT": "staging", "SENTRY_RELEASE": "rejoinder@7"}
        brought = {"REDIS_URL": redis.url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url}
        with running_web(
            redis_url=redis.url, database_url=database_url, log=tmp_path / "w.log", environment=told
        ) as web:
            visitor = Visitor(web.url)
            with running_worker(tmp_path, **brought, **told):
                model.script({"status": 401, "error": {"message": f"no answer to {QUESTION}"}})
                refused = visitor.say(visitor.converse("refused"), QUESTION)
                refused.wait(60)
                conversation = visitor.converse(TITLE)
                model.script({"deltas": [ANSWER]})
                visitor.say(conversation, QUESTION).wait(60)
                share = visitor.share(conversation)
                assert sentry.events() == [], "what may happen is no fault"

            broken = visitor.say(visitor.converse("broken"), QUESTION)  # nobody takes it yet
            database.execute("UPDATE messages SET status = 'dancing'")
            with pytest.raises(HTTPError) as failed:
                Visitor(web.url).open(f"/api/shares/{share}")
            with failed.value as response:
                fault, request_id = json.load(response)["fault"], response.headers["X-Request-ID"]
            wait_until(lambda: len(sentry.events()) == 1, what="the fault of the web process")
            with running_worker(tmp_path, **brought, **told):
                wait_until(lambda: len(sentry.events()) >= 2, what="the fault of the worker")

        of_web, of_worker = sentry.events()[:2]
        for event, process in ((of_web, "web"), (of_worker, "worker")):
            assert (event["release"], event["environment"], event["level"]) == ("rejoinder@7", "staging", "error")
            assert event["tags"]["process"] == process
            [*_, raised] = event["exception"]["values"]
            assert raised["type"] == "LookupError"
            assert raised["stacktrace"]["frames"]
            assert not any("vars" in frame for frame in raised["stacktrace"]["frames"])
        assert (of_web["logentry"]["message"], of_web["tags"]["fault"]) == ("fault %s", fault)
        assert of_web["tags"]["request_id"] == request_id
        assert of_web["tags"]["route"] == "/api/shares/<id:share_id>"
        assert of_worker["tags"]["stream_id"] == broken.stream
        everything = "".join(sentry.bodies)
        [cookie] = visitor.cookie.split("; ")
        for secret in (QUESTION, ANSWER, TITLE, share, cookie.partition("=")[2], "dancing"):
            assert secret not in everything


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    environment = {"SENTRY_DSN": "sentry.example.com", "OPENAI_API_KEY": "k"}
    with started_worker(tmp_path, **environment) as worker:
        assert worker.wait(240) == 2
    assert "SENTRY_DSN is not right; expected the DSN" in worker.log
    assert "sentry.example.com" not in worker.log
    assert "Traceback" not in worker.log
