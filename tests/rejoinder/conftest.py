"""A whole Rejoinder, behind a line that can be cut; and the command, run beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Running
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.tcp_proxy import TcpProxy, running_proxy
from tests.support.visitor import Visitor
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import running_worker


@dataclass
class Stack:
    """One web process and one worker. `line` is the address that the command is given."""

    web: WebProcess
    model: ScriptedModel
    line: TcpProxy
    brought: dict[str, str]
    folder: Path

    def visitor(self) -> Visitor:
        return Visitor(self.web.url)

    def home(self, name: str) -> dict[str, str]:
        """The environment of somebody with a home of their own."""
        return {"HOME": str(self.folder / name), "XDG_CONFIG_HOME": str(self.folder / name / "config")}

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> Running:
        return Running(*arguments, environment=environment or self.home("nobody"))


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest) -> Iterator[None]:
    """One test that fails is one: the line that it has cut carries the next."""
    yield
    if "stack" in request.fixturenames:
        stack: Stack = request.getfixturevalue("stack")
        stack.line.serve(stack.web.port)
        stack.line.heal()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    database_url = migrated(new_sqlite(folder))
    with running_redis() as redis, running_scripted_model() as model:
        brought = {
            "REDIS_URL": redis.url,
            "DATABASE_URL": database_url,
            "OPENAI_BASE_URL": model.base_url,
            "HEARTBEAT_INTERVAL": "2",
        }
        with (
            running_worker(folder, **brought),
            running_web(
                redis_url=redis.url, database_url=database_url, log=folder / "web.log", environment=brought
            ) as web,
            running_proxy(web.port) as line,
        ):
            yield Stack(web, model, line, brought, folder)
