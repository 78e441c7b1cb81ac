"""A Redis that hangs, which says less than one that is away, on a real gunicorn."""

from pathlib import Path

import pytest
import requests

from tests.support.redis_server import RedisServer
from tests.support.web_process import running_web
from tests.webapp.test_dashboard import PASSWORD

pytestmark = pytest.mark.timeout(400)

PATIENCE_OF_THE_PAGE = 10.0  # seconds: frontend/src/operations/poll.ts


def test_while_redis_hangs_the_page_is_told_so_before_it_gives_up(
    own_redis: RedisServer, database_url: str, tmp_path: Path
) -> None:
    settings = {"ADMIN_PASSWORD": PASSWORD}
    places = {"redis_url": own_redis.url, "database_url": database_url, "log": tmp_path / "web.log"}
    with running_web(**places, environment=settings) as web, requests.Session() as administrator:  # type: ignore[arg-type]
        administrator.post(f"{web.url}/admin/login", data={"password": PASSWORD}, allow_redirects=False)
        own_redis.pause()
        try:
            answer = administrator.get(f"{web.url}/api/admin/operations", timeout=PATIENCE_OF_THE_PAGE)
        finally:
            own_redis.resume()
        assert answer.status_code == 200
        told = answer.json()
        assert (told["streams"], told["queue"], told["processes"]) == (None, None, None)
        assert len(told["troubles"]) == 2
