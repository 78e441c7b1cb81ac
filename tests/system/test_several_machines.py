"""Two web processes, two workers, streams in a cluster, and a Redis for the queue alone."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
import redis

from streams import keys
from tests.support.database import migrated, new_sqlite
from tests.support.ports import free_port
from tests.support.redis_cluster import running_cluster
from tests.support.redis_sentinels import running_sentinels
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
from tests.support.socket_client import connected
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import running_worker

WORDS = [f"word{number} " for number in range(40)]
HALF = "".join(WORDS[:20])
ANSWERS = 6


def is_ready(web: WebProcess) -> bool:
    with suppress(OSError), urlopen(f"{web.url}/readyz", timeout=10) as response:  # noqa: S310
        return bool(response.status == 200)
    return False


def test_the_primary_that_has_an_answer_is_killed_and_whoever_watches_gets_every_word_from_one_request(
    tmp_path: Path,
) -> None:
    database_url = migrated(new_sqlite(tmp_path))
    with running_redis() as server, running_cluster() as cluster, running_scripted_model() as model:
        streams = {"STREAMS_REDIS_URL": cluster.url}
        brought = {"REDIS_URL": server.url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url, **streams}
        web = partial(running_web, redis_url=server.url, database_url=database_url, environment=streams)
        with (
            running_worker(tmp_path, **brought),
            running_worker(tmp_path, **brought),
            web(log=tmp_path / "one.log") as one,
            web(log=tmp_path / "two.log") as two,
        ):
            visitor = Visitor(one.url)
            script = {"deltas": [*WORDS[:20], {"wait": "go"}, *WORDS[20:]]}
            answers = [visitor.ask(f"{number}", script) for number in range(ANSWERS)]
            with connected(two.url, visitor.cookie) as page:
                page.say(type="follow", stream=answers[0].stream)
                page.receive_text(HALF)
                cluster.primary_of(keys.chunks(answers[0].stream)).kill()
                model.release("go", ANSWERS)
                page.receive_until("end")
                assert page.text == "".join(WORDS)
            for answer in answers:
                answer.wait(60)
                assert answer.recording()["text"] == "".join(WORDS)
                assert answer.recording()["end"]["outcome"] == "finished"
            assert len(model.requests()) == ANSWERS
            with redis.Redis.from_url(server.url) as queue:
                assert list(queue.scan_iter("rejoinder:*:state")) == [], "streams are in the cluster alone"


def test_sentinels_find_another_redis_for_streams_and_queue_in_mid_answer(tmp_path: Path) -> None:
    database_url = migrated(new_sqlite(tmp_path))
    with (
        running_redis(port=free_port()) as old,
        running_redis(port=free_port()) as new,
        running_sentinels(old, new) as url,
        running_scripted_model() as model,
        running_worker(tmp_path, REDIS_URL=url, DATABASE_URL=database_url, OPENAI_BASE_URL=model.base_url),
        running_web(redis_url=url, database_url=database_url, log=tmp_path / "web.log") as web,
    ):
        visitor = Visitor(web.url)
        answer = visitor.ask("one", {"deltas": [*WORDS[:20], {"wait": "go"}, *WORDS[20:]]})
        with connected(web.url, visitor.cookie) as page:
            page.say(type="follow", stream=answer.stream)
            page.receive_text(HALF)
            old.kill()
            model.release("go")
            page.receive_until("end")
            assert page.text == "".join(WORDS)
        wait_until(lambda: is_ready(web), what="the web process to find the new primary")
        visitor.ask("two", {"deltas": ["Here ", "too."]}).wait(60)
        assert len(model.requests()) == 2


def test_a_web_process_says_which_setting_is_wrong_when_no_server_of_the_cluster_answers(tmp_path: Path) -> None:
    with running_redis() as server:
        database_url = migrated(new_sqlite(tmp_path))
        environment = {"STREAMS_REDIS_URL": "redis+cluster://127.0.0.1:1"}
        log = tmp_path / "web.log"
        with (
            pytest.raises(RuntimeError, match="ended"),
            running_web(redis_url=server.url, database_url=database_url, log=log, environment=environment),
        ):
            raise AssertionError("it started")
        assert "STREAMS_REDIS_URL: " in log.read_text()
        assert "Traceback" not in log.read_text()
