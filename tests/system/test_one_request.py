"""One click, followed through the logs of all processes up to the model's server, which log no word of what is said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import WorkerProcess, running_worker

REQUEST = "d2f1c6c0-7a53-4d0e-9a3f-1f3f5a1b2c3d"
QUESTION, ANSWER = "Does a walrus blush?", "Only when it is asked."


@dataclass(frozen=True, slots=True)
class Stack:
    web: WebProcess
    worker: WorkerProcess
    model: ScriptedModel

    def lines(self) -> list[dict[str, Any]]:
        """All that both processes have said; every line of it is JSON, once it is whole."""
        said = [log.rpartition("\n")[0] for log in (self.web.log.read_text(), self.worker.log)]
        return [json.loads(line) for log in said for line in log.splitlines()]


@contextmanager
def running_stack(folder: Path, **environment: str) -> Iterator[Stack]:
    database_url = migrated(new_sqlite(folder))
    environment = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "ACCESS_LOG": "1", **environment}
    with running_redis() as redis, running_scripted_model() as model:
        brought = {"REDIS_URL": redis.url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url}
        with (
            running_worker(folder, **brought, **environment) as worker,
            running_web(
                redis_url=redis.url, database_url=database_url, log=folder / "web.log", environment=environment
            ) as web,
        ):
            yield Stack(web, worker, model)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


def ask(stack: Stack, visitor: Visitor, conversation: str) -> str:
    stack.model.script({"deltas": [ANSWER]})
    answer = visitor.say(conversation, QUESTION, {"X-Request-ID": REQUEST})
    answer.wait(60)
    wait_until(lambda: any(line["event"] == "answer ended" for line in stack.lines()), what="the worker's line")
    return answer.stream


def test_one_id_goes_from_the_request_to_the_models_server_and_no_word_is_logged(stack: Stack) -> None:
    visitor = Visitor(stack.web.url)
    conversation = visitor.converse("A title of mine")
    stream = ask(stack, visitor, conversation)
    assert visitor.headers["X-Request-ID"] != REQUEST, "the last request was another"
    [request] = stack.model.requests()
    assert request["headers"]["x-request-id"] == REQUEST

    lines = stack.lines()
    [sent] = [line for line in lines if line["event"] == "request" and line["path"].endswith("/messages")]
    ids = {"request_id": REQUEST, "conversation_id": conversation, "stream_id": stream}
    assert ids.items() <= sent.items()
    assert (sent["method"], sent["status"], sent["logger"]) == ("POST", 202, "gunicorn.access")
    [ended] = [line for line in lines if line["event"] == "answer ended"]
    assert ids.items() <= ended.items()
    assert {"gunicorn.error", "gunicorn.access", "workers.generation"} <= {line["logger"] for line in lines}

    share = visitor.share(conversation)
    Visitor(stack.web.url).open(f"/api/shares/{share}")
    Visitor(stack.web.url).open(f"/api/streams/{stream}?share={share}")
    wait_until(
        lambda: sum("share" in line for line in stack.lines() if line["event"] == "request") == 2,
        what="both in the log",
    )
    everything = json.dumps(stack.lines(), ensure_ascii=False)
    assert share not in everything
    for words in (QUESTION, ANSWER, "A title of mine"):
        assert words not in everything


def test_words_are_logged_where_that_was_switched_on(tmp_path: Path) -> None:
    with running_stack(tmp_path, LOG_CONVERSATIONS="1") as stack:
        visitor = Visitor(stack.web.url)
        stream = ask(stack, visitor, visitor.converse("A title"))
        said = [line for line in stack.lines() if line["logger"] == "transcript"]
        assert [(line["event"], line["stream_id"], line["request_id"]) for line in said] == [
            ("asked", stream, REQUEST),
            ("answered", stream, REQUEST),
        ]
        assert QUESTION in said[0]["messages"]
        assert said[1]["text"] == ANSWER


def test_an_answer_names_its_request_whoever_made_the_id(stack: Stack) -> None:
    visitor, names = Visitor(stack.web.url), []
    for given in ("not well-formed", None):
        visitor.open("/healthz", {"X-Request-ID": given} if given else {})
        names.append(visitor.headers["X-Request-ID"])
    assert len({*names, "not well-formed"}) == 3
    assert all(names)
