"""No secret is in any line of a log or in any answer, whatever fails, and however loudly processes talk."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import sqlalchemy

from tests.support.database import migrated, new_postgres, postgres_line
from tests.support.ports import free_port
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import PROJECT, WebProcess, running_web
from tests.support.worker_process import WorkerProcess, running_worker

pytestmark = pytest.mark.timeout(400)

SECRETS = {  # each is found by its first word, also where it was encoded, cut or shown by its `repr`
    name: f"{name.replace('_', '')}8kQ2 is+secret/9"
    for name in (
        "REDIS_PASSWORD",
        "STREAMS_PASSWORD",
        "DATABASE_PASSWORD",
        "OPENAI_API_KEY",
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "ADMIN_PASSWORD",
        "METRICS_TOKEN",
        "OIDC_CLIENT_SECRET",
        "SENTRY_KEY",
        "GUESS",
    )
}
LOUD = {"LOG_LEVEL": "DEBUG", "ACCESS_LOG": "1", "LOG_CONVERSATIONS": "1"}
PRIVATE = ("/admin", "/metrics", "/vitals", "/rq/", "/api/admin/operations", "/api/admin/history")
ANYBODYS = ("/", "/api/conversations", "/api/models", "/readyz", "/account/sign-in", "/account/callback?state=x&code=y")


def known(name: str) -> str:
    return SECRETS[name].partition(" ")[0]


def assert_no_secret(told: str, where: str) -> None:
    """The key of the signatures is told nowhere, nor is any other secret, not even a guess at one."""
    assert [name for name in SECRETS if known(name) in told] == [], f"in {where}: {told[-3000:]}"


def everything_told(web: WebProcess) -> str:
    """All that is answered to anybody and to the administrator, and to whoever guesses; with headers."""
    told = ""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    for user in (SECRETS["ADMIN_PASSWORD"], SECRETS["GUESS"], None):
        for path in (*PRIVATE, *ANYBODYS):
            headers = {"Accept": "application/json"}
            if user is not None:
                headers["Authorization"] = _basic(user)
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            told += f"{path} {response.status} {response.getheaders()} {response.read().decode()}\n"
    for path, body in (("/admin/login", f"password={quote(SECRETS['GUESS'])}"), ("/api/conversations", "{}")):
        kind = "application/x-www-form-urlencoded" if path == "/admin/login" else "application/json"
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        told += f"{path} {response.status} {response.getheaders()} {response.read().decode()}\n"
    connection.close()
    return told


def _basic(password: str) -> str:
    return "Basic " + b64encode(f"admin:{password}".encode()).decode()


def settings(redis_port: int, streams_port: int, database_url: str, model_url: str, elsewhere: int) -> dict[str, str]:
    """What both processes are given: a secret wherever one can be."""
    of_jobs, of_streams = (quote(SECRETS[name], safe="") for name in ("REDIS_PASSWORD", "STREAMS_PASSWORD"))
    return {
        "REDIS_URL": f"redis://default:{of_jobs}@127.0.0.1:{redis_port}/0",
        "STREAMS_REDIS_URL": f"redis://default:{of_streams}@127.0.0.1:{streams_port}/0",
        "DATABASE_URL": database_url,
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": SECRETS["OPENAI_API_KEY"].replace(" ", "_"),
        "SECRET_KEY": SECRETS["SECRET_KEY"] + "-more-of-it-0123456789",
        "SECRET_KEY_FALLBACKS": SECRETS["SECRET_KEY_FALLBACKS"] + "-more-of-it-0123456789",
        "ADMIN_PASSWORD": SECRETS["ADMIN_PASSWORD"],
        "METRICS_TOKEN": SECRETS["METRICS_TOKEN"],
        "OIDC_ISSUER": f"http://127.0.0.1:{elsewhere}",
        "OIDC_CLIENT_ID": "rejoinder",
        "OIDC_CLIENT_SECRET": SECRETS["OIDC_CLIENT_SECRET"],
        "SENTRY_DSN": f"http://{known('SENTRY_KEY')}@127.0.0.1:{elsewhere}/1",
    }


@contextmanager
def locked_redis(password: str, port: int) -> Iterator["redis.Redis"]:
    """A Redis that wants this password; its administrator."""
    with running_redis(port=port) as server, redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.config_set("requirepass", password)
        client.auth(password)
        yield client
        if server.process and server.process.poll() is None:
            client.config_set("requirepass", "")


def with_password(database_url: str) -> str:
    """The same database (it believes everybody), with a password in its address."""
    url = sqlalchemy.make_url(database_url).set(password=SECRETS["DATABASE_PASSWORD"])
    return url.render_as_string(hide_password=False)


def test_whatever_fails_while_they_run_no_secret_is_told(postgres: str, tmp_path: Path) -> None:
    ports = (free_port(), free_port())
    with (
        locked_redis(SECRETS["REDIS_PASSWORD"], ports[0]) as jobs,
        locked_redis(SECRETS["STREAMS_PASSWORD"], ports[1]) as streams,
        postgres_line(migrated(new_postgres(postgres))) as (line, database_url),
        running_scripted_model() as model,
    ):
        given = settings(*ports, with_password(database_url), model.base_url, free_port())
        key = given["OPENAI_API_KEY"]
        with (
            running_web(redis_url=given["REDIS_URL"], database_url=given["DATABASE_URL"], log=tmp_path / "web.log",
                        environment={**given, **LOUD}) as web,
            running_worker(tmp_path, **given, **LOUD) as worker,
        ):  # fmt: skip
            told = everything_told(web)
            visitor = Visitor(web.url)
            for script in (
                {"status": 401, "error": {"message": f"Incorrect API key provided: {key}"}},
                {"status": 400, "error": {"message": f"Authorization: Bearer {key} is odd"}},
                {"deltas": ["Well", {"error": {"message": f"the key {key} was withdrawn"}}]},
                {"deltas": ["Well", {"cut": True}]},
            ):
                model.script(script)
                answer = visitor.say(visitor.converse("A talk"), "Why?")
                answer.wait(60)
                told += str(answer.recording()) + str(visitor.open("/api/conversations"))
            for each in (jobs, streams):  # another password, and everybody has to say theirs again
                each.config_set("requirepass", "changed")
                each.client_kill_filter(skipme=True, _type="normal")
                each.client_kill_filter(skipme=True, _type="pubsub")
            wait_until(lambda: "invalid username-password" in worker.log, 60, "the worker's complaint")
            told += everything_told(web)
            line.cut()
            told += everything_told(web)
            _judge(told, web, worker)
            web.terminate()
            _judge(told, web, worker)  # and what it says at its end


def _judge(told: str, web: WebProcess, worker: WorkerProcess) -> None:
    assert_no_secret(told, "an answer")
    assert_no_secret(web.log.read_text(), "the log of the web process")
    assert_no_secret(worker.log, "the log of the worker")


def _complains(process: "subprocess.Popen[bytes]", log: Path, of: str) -> bool:
    return process.poll() is not None or of in log.read_text()


COMMANDS = (
    ["workers"],
    ["gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.wsgi:app"],
    ["rejoinder", "doctor"],
)
WRONG = {
    "redis, which is away": {},
    "another one of Redis": {"REDIS_URL": f"http://default:{known('REDIS_PASSWORD')}@127.0.0.1:1"},
    "an address of the database that is none": {"DATABASE_URL": f"postgresql://x:{known('DATABASE_PASSWORD')}@h:p/x"},
    "a database of a kind that nobody knows": {"DATABASE_URL": f"oracle://x:{known('DATABASE_PASSWORD')}@h/x"},
    "addresses of Redis that are none, and short keys": {  # all of which are told together
        "REDIS_URL": f"redis://default:{known('REDIS_PASSWORD')}@host:port/0",
        "STREAMS_REDIS_URL": f"redis+cluster://:{known('STREAMS_PASSWORD')}@[::",
        "SECRET_KEY": known("SECRET_KEY"),
        "SECRET_KEY_FALLBACKS": known("SECRET_KEY_FALLBACKS"),
        "METRICS_TOKEN": known("METRICS_TOKEN")[:15],
    },
    "half of a provider": {"OIDC_CLIENT_ID": ""},
    "a DSN that is none": {"SENTRY_DSN": f"{known('SENTRY_KEY')}@nowhere"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_said_of_a_wrong_setting_at_the_start_has_no_secret_in_it(
    wrong: dict[str, str], tmp_path: Path
) -> None:
    database_url = f"postgresql://x:{quote(SECRETS['DATABASE_PASSWORD'], safe='')}@127.0.0.1:{free_port()}/x"
    given = settings(free_port(), free_port(), database_url, "http://127.0.0.1:1/v1", free_port())
    environment = {"PATH": os.environ["PATH"], **given, **LOUD, **wrong, "PORT": str(free_port())}
    away = given["REDIS_URL"].rpartition(":")[2].removesuffix("/0")  # a worker waits for it, and complains
    with ExitStack() as running:
        started = []
        for command in COMMANDS:
            log = tmp_path / f"{command[0]}.log"
            with log.open("w") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", *command], cwd=PROJECT, env=environment, stdout=output, stderr=output
                )
            running.callback(process.wait)
            running.callback(process.kill)
            started.append((process, log))
        for process, log in started:
            wait_until(partial(_complains, process, log, away), 240, "a complaint")
            process.terminate()
            process.wait(60)
            assert log.read_text()
            assert_no_secret(log.read_text(), log.name)
