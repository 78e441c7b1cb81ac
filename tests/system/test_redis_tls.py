"""Web process and worker on a Redis that asks for a password and is reached by TLS alone."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import trustme

from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import RedisServer, running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.tls_line import tls_line
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker, started_worker

pytestmark = pytest.mark.timeout(900)  # starts processes; a busy machine takes its time

PASSWORD = "correct-horse-battery-staple"  # noqa: S105


@pytest.fixture
def locked() -> Iterator[RedisServer]:
    with running_redis() as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", PASSWORD)
        yield server


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with running_scripted_model() as model:
        yield model


@pytest.mark.parametrize("how", ["self-signed", "a CA file"])
def test_an_answer_is_written_and_read_and_the_password_is_in_no_log(
    locked: RedisServer, model: ScriptedModel, tmp_path: Path, how: str
) -> None:
    authority, database_url = trustme.CA(), migrated(new_sqlite(tmp_path))
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    options = "ssl_cert_reqs=none" if how == "self-signed" else f"ssl_ca_certs={tmp_path}/authority.pem"
    line = (
        tls_line(locked.socket)
        if how == "self-signed"
        else tls_line(locked.socket, authority=authority, name="127.0.0.1")
    )
    with ExitStack() as running:
        port = running.enter_context(line)
        brought = {
            "REDIS_URL": f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?{options}",
            "DATABASE_URL": database_url,
            "OPENAI_BASE_URL": model.base_url,
        }
        worker = running.enter_context(running_worker(tmp_path, **brought))
        web = running.enter_context(
            running_web(redis_url=brought["REDIS_URL"], database_url=database_url, log=tmp_path / "web.log")
        )
        answer = Visitor(web.url).ask("Over TLS", {"deltas": ["Once", " upon"]})
        answer.wait(120)
        assert answer.recording()["text"] == "Once upon"
        assert answer.recording()["end"]["outcome"] == "finished"
        assert PASSWORD not in worker.log + web.log.read_text()


@pytest.mark.parametrize("wrong", ["password", "certificate"])
def test_a_worker_that_is_not_let_in_or_cannot_be_sure_says_so_without_the_password(
    locked: RedisServer, model: ScriptedModel, tmp_path: Path, wrong: str
) -> None:
    password, options = (PASSWORD[::-1], "?ssl_cert_reqs=none") if wrong == "password" else (PASSWORD, "")
    with ExitStack() as running:
        port = running.enter_context(tls_line(locked.socket))
        worker = running.enter_context(
            started_worker(
                tmp_path,
                REDIS_URL=f"rediss://:{password}@127.0.0.1:{port}/0{options}",
                DATABASE_URL=migrated(new_sqlite(tmp_path)),
                OPENAI_BASE_URL=model.base_url,
            )
        )
        said = "WRONGPASS" if wrong == "password" else "CERTIFICATE_VERIFY_FAILED"
        wait_until(lambda: said in worker.log or "invalid username-password" in worker.log, 240, "the worker to say so")
        assert password not in worker.log
