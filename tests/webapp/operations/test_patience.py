"""A Redis that hangs, which says less than one that is away, on a real gunicorn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.support.redis_server import RedisServer
from tests.support.web_process import running_web
from tests.webapp.test_dashboard import PASSWORD, basic

pytestmark = pytest.mark.timeout(400)

PATIENCE_OF_THE_PAGE = 10.0  # seconds: frontend/src/operations/poll.ts

NOT_THERE = "Redis does not answer at the moment. Try again in a few seconds."


def test_while_redis_hangs_the_page_is_told_so_before_it_gives_up(
    own_redis: RedisServer, database_url: str, tmp_path: Path
) -> None:
    settings = {"ADMIN_PASSWORD": PASSWORD, "ADMIN_READS_ANSWERS": "1"}
    places = {"redis_url": own_redis.url, "database_url": database_url, "log": tmp_path / "web.log"}
    with running_web(**places, environment=settings) as web, requests.Session() as administrator:  # type: ignore[arg-type]
        administrator.post(f"{web.url}/admin/login", data={"password": PASSWORD}, allow_redirects=False)
        api = f"{web.url}/api/admin"
        by_cookie = partial(requests.request, cookies=administrator.cookies.copy())
        asked: dict[str, Callable[..., requests.Response]] = {
            "operations": partial(by_cookie, "GET", f"{api}/operations"),
            "history": partial(by_cookie, "GET", f"{api}/history?span=hour"),
            "stream": partial(by_cookie, "GET", f"{api}/streams/some"),
            "text": partial(by_cookie, "GET", f"{api}/streams/some/text"),
            "stop": partial(by_cookie, "POST", f"{api}/streams/some/stop"),
            "logout": partial(by_cookie, "POST", f"{web.url}/admin/logout"),
            "by a program": partial(requests.get, f"{api}/operations", headers=basic("admin", PASSWORD)),
            "by a guess": partial(requests.get, f"{api}/operations", headers=basic("admin", "a guess")),
        }
        own_redis.pause()
        try:
            with ThreadPoolExecutor(len(asked)) as pool:
                answering = {name: pool.submit(ask, timeout=PATIENCE_OF_THE_PAGE) for name, ask in asked.items()}
            answers = {name: each.result() for name, each in answering.items()}
        finally:
            own_redis.resume()
    told = answers["operations"].json()
    assert (told["streams"], told["queue"], told["processes"]) == (None, None, None)
    assert len(told["troubles"]) == 2
    for name in ("history", "stream", "text", "stop", "logout"):
        problem = answers[name].json()
        assert (name, problem["status"], problem["detail"]) == (name, 503, NOT_THERE)
        assert int(answers[name].headers["Retry-After"]) > 0
    assert answers["by a program"].status_code == 200
    assert answers["by a guess"].status_code == 401
