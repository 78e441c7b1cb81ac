"""A Redis that hangs, which says less than one that is away, on a real gunicorn.

Everything is asked at once, so that nobody waits for each in turn.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import requests

from tests.support.redis_server import running_redis
from tests.support.web_process import running_web
from tests.webapp.test_dashboard import ADMIN, PASSWORD, basic

pytestmark = pytest.mark.timeout(400)

PATIENCE_OF_THE_PAGE = 10.0  # seconds: frontend/src/operations/poll.ts
NOT_THERE = "A part of the server (Redis) does not answer at the moment. Try again in a few seconds."

Answers = dict[str, requests.Response]


@pytest.fixture(scope="module")
def answers(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Of each request, by its name. All of them came before whoever asked gave up."""
    log = tmp_path_factory.mktemp("patience") / "web.log"
    environment = {"ADMIN_PASSWORD": PASSWORD, "ADMIN_READS_ANSWERS": "1"}
    with (
        running_redis() as hanging,
        requests.Session() as session,
        running_web(redis_url=hanging.url, database_url=database_url, log=log, environment=environment) as web,
    ):

        def begin() -> str:
            return str(session.post(f"{web.url}/api/conversations", json={}).json()["id"])

        mine = begin()
        messages, question = f"/api/conversations/{mine}/messages", {"content": "Why?"}
        stream = session.post(f"{web.url}{messages}", json=question).json()["stream"]
        session.post(f"{web.url}/admin/login", data={"password": PASSWORD}, allow_redirects=False)
        requests_of: dict[str, tuple[str, str, dict[str, Any]]] = {
            "read": ("GET", f"/api/conversations/{mine}", {}),
            "models": ("GET", "/api/models", {}),
            "create": ("POST", "/api/conversations", {"json": {}}),
            "rename": ("PATCH", f"/api/conversations/{begin()}", {"json": {"title": "Another"}}),
            "share": ("POST", f"/api/conversations/{begin()}/shares", {"json": {}}),
            "operations": ("GET", "/api/admin/operations", {}),
            "history": ("GET", "/api/admin/history?span=hour", {}),
            "stream": ("GET", f"/api/admin/streams/{stream}", {}),
            "text": ("GET", f"/api/admin/streams/{stream}/text", {}),
            "stop": ("POST", f"/api/admin/streams/{stream}/stop", {}),
            "logout": ("POST", "/admin/logout", {}),
        }
        by_cookie = partial(requests.request, cookies=session.cookies.copy())
        asked: dict[str, Callable[..., requests.Response]] = {
            name: partial(by_cookie, method, f"{web.url}{path}", **body)
            for name, (method, path, body) in requests_of.items()
        }
        operations = partial(requests.get, f"{web.url}/api/admin/operations")
        asked["by a program"] = partial(operations, headers=ADMIN)
        asked["by a guess"] = partial(operations, headers=basic("admin", "a guess"))
        hanging.pause()
        try:
            with ThreadPoolExecutor(len(asked)) as pool:
                answering = {name: pool.submit(ask, timeout=PATIENCE_OF_THE_PAGE) for name, ask in asked.items()}
            return {name: each.result() for name, each in answering.items()}
        finally:
            hanging.resume()


def test_what_redis_is_not_needed_for_is_done(answers: Answers) -> None:
    statuses = {name: answers[name].status_code for name in ("read", "models", "create", "rename", "share")}
    assert statuses == {"read": 200, "models": 200, "create": 201, "rename": 200, "share": 201}
    assert [each["content"] for each in answers["read"].json()["messages"]] == ["Why?", ""]


def test_the_operations_page_is_told_so_before_it_gives_up(answers: Answers) -> None:
    told = answers["operations"].json()
    assert (told["streams"], told["queue"], told["processes"]) == (None, None, None)
    assert len(told["troubles"]) == 2


@pytest.mark.parametrize("name", ["history", "stream", "text", "stop", "logout"])
def test_what_cannot_be_done_without_redis_is_refused(answers: Answers, name: str) -> None:
    problem = answers[name].json()
    assert (problem["status"], problem["detail"]) == (503, NOT_THERE)
    assert int(answers[name].headers["Retry-After"]) > 0


def test_the_right_password_lets_in_and_no_other(answers: Answers) -> None:
    assert answers["by a program"].status_code == 200
    assert answers["by a guess"].status_code == 401
