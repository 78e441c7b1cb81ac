"""What the administrator is told is so: two web processes and a worker, which come, work, and are killed."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.database import migrated, new_sqlite
from tests.support.redis_cluster import running_cluster
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.socket_client import connected
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import WorkerProcess, running_worker

PASSWORD = "correct horse"  # noqa: S105
WORDS = ["Once ", "upon ", "a ", "time."]


def held(gate: str) -> dict[str, Any]:
    return {"deltas": [*WORDS, {"wait": gate}, "The end."]}


@pytest.fixture
def gate() -> str:
    """One for each test: what waits there when a test has failed keeps nobody else's."""
    return secrets.token_hex(4)


@dataclass
class Stack:
    webs: list[WebProcess]
    worker: WorkerProcess
    model: ScriptedModel

    def told(self, path: str = "operations", method: str = "GET") -> Any:
        """What the first web process answers to the administrator."""
        login = "Basic " + b64encode(f"admin:{PASSWORD}".encode()).decode()
        request = Request(  # noqa: S310
            f"{self.webs[0].url}/api/admin/{path}", headers={"Authorization": login}, method=method
        )
        with urlopen(request, timeout=60) as response:  # noqa: S310
            return json.load(response)

    def stream(self, stream: str) -> Any:
        shown = self.told()["streams"]["shown"]
        return next((each for each in shown if each["stream"] == stream), None)

    def processes(self, kind: str) -> list[Any]:
        return [each for each in self.told()["processes"] if each["kind"] == kind]

    def counted(self, name: str) -> int:
        counted: dict[str, int] = self.told("history")["counted"]
        return counted.get(name, 0)


@contextmanager
def running_stack(folder: Path, **environment: str) -> Iterator[Stack]:
    with ExitStack() as running:
        redis = running.enter_context(running_redis())
        model = running.enter_context(running_scripted_model())
        places = {"REDIS_URL": redis.url, "DATABASE_URL": migrated(new_sqlite(folder))}
        brought = {**places, "OPENAI_BASE_URL": model.base_url, **environment}
        worker = running.enter_context(running_worker(folder, **brought, WORKER_CONCURRENCY="3"))
        webs = [
            running.enter_context(
                running_web(
                    redis_url=redis.url,
                    database_url=places["DATABASE_URL"],
                    log=folder / f"web-{number}.log",
                    environment={**places, **environment, "ADMIN_PASSWORD": PASSWORD},
                )
            )
            for number in range(2)
        ]
        yield Stack(webs, worker, model)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


def watch_an_answer_come_and_go(stack: Stack, gate: str) -> None:
    visitor = Visitor(stack.webs[0].url)
    answer = visitor.ask("held", held(gate))
    with ExitStack() as pages:
        for web in (stack.webs[0], stack.webs[1], stack.webs[1]):
            page = pages.enter_context(connected(web.url, visitor.cookie))
            page.say(type="follow", stream=answer.stream)
            page.receive_text("".join(WORDS))
        seen = wait_until(lambda: (found := stack.stream(answer.stream)) and found["viewers"] == 3 and found)
        [worker] = wait_until(lambda: stack.processes("worker"), what="the worker to say that it is there")
        wait_until(lambda: stack.stream(answer.stream)["worker"] == worker["id"])
        assert (seen["state"], seen["model"], seen["chunks"] > 0) == ("running", "s", True)
        opened = stack.told(f"streams/{answer.stream}")
        assert sorted(each["viewers"] for each in opened["watched"]) == [1, 2]
        assert opened["contents"]["text_bytes"] == len("".join(WORDS))
    stack.model.release(gate)
    answer.wait(60)
    wait_until(lambda: stack.stream(answer.stream) is None, what="it to be saved")


def test_an_answer_is_seen_with_its_viewers_in_all_processes_and_with_its_worker(stack: Stack, gate: str) -> None:
    before = stack.counted("streams_ended.finished")
    watch_an_answer_come_and_go(stack, gate)
    wait_until(lambda: stack.counted("streams_ended.finished") == before + 1, what="its end to be counted")
    assert stack.counted("characters") >= len("".join(WORDS))
    assert sum(stack.told("history")["waits"]["first_token"]) >= 1
    assert sum(stack.told("history")["ended"]["finished"]) >= 1


def test_an_answer_that_is_stopped_is_the_same_to_whoever_asked_as_if_they_had_done_it(stack: Stack, gate: str) -> None:
    before = stack.counted("streams_ended.cancelled")
    answer = Visitor(stack.webs[1].url).ask("held", held(gate))
    wait_until(lambda: stack.stream(answer.stream)["chunks"] > 0)
    assert stack.told(f"streams/{answer.stream}/stop", "POST") == {"stream": answer.stream, "stopping": True}
    answer.wait(60)
    assert answer.recording()["end"]["outcome"] == "cancelled"
    assert answer.recording()["text"] == "".join(WORDS)
    wait_until(lambda: stack.counted("streams_ended.cancelled") == before + 1, what="it to be counted")
    log = stack.webs[0].log.read_text()
    assert "the administrator stops an answer" in log
    assert answer.stream in log


def test_every_process_says_what_it_is_and_holds(stack: Stack) -> None:

    def all_three() -> list[Any] | None:
        told = stack.told()["processes"]
        return told if len(told) == 3 else None

    processes = wait_until(all_three, what="all of them") or []
    [worker], webs = ([each for each in processes if each["kind"] == kind] for kind in ("worker", "web"))
    assert (worker["limit"], worker["pid"]) == (3, stack.worker.process.pid)
    for process in processes:
        assert process["memory"] > 10_000_000
        assert process["heard"] < 10
    assert {each["pid"] for each in webs} == {child.pid for web in stack.webs for child in web.children()}


def test_a_process_that_is_killed_vanishes_and_one_that_leaves_is_gone_with_all_that_it_counted(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        answer = Visitor(stack.webs[0].url).ask("short", {"deltas": WORDS})
        answer.wait(60)
        stack.webs[1].kill()
        wait_until(lambda: len(stack.processes("web")) == 1, what="it to vanish")
        stack.worker.terminate()
        assert stack.worker.wait() == 0
        assert stack.processes("worker") == [], "it has said that it leaves"
        assert stack.counted("streams_ended.finished") == 1, "it has said what it counted"


def test_streams_in_a_cluster_are_seen_too(tmp_path: Path, gate: str) -> None:
    with running_cluster() as cluster, running_stack(tmp_path, STREAMS_REDIS_URL=cluster.url) as stack:
        watch_an_answer_come_and_go(stack, gate)
        wait_until(lambda: stack.counted("streams_ended.finished") == 1)
        answers = [Visitor(stack.webs[0].url).ask(f"{number}", held(gate)) for number in range(3)]
        wait_until(lambda: all(stack.stream(each.stream)["chunks"] for each in answers), what="all to be written")
        assert stack.told()["streams"]["total"] == 3
        stack.model.release(gate, 3)
        for answer in answers:
            answer.wait(60)
