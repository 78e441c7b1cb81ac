"""The whole system, as it is deployed, and a person before it with a browser and a bad network."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Visit, running_browser
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import Json, ScriptedModel, running_scripted_model
from tests.support.tcp_proxy import TcpProxy, running_proxy
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import WorkerProcess, running_worker

BUILT_PAGE = Path(__file__).parents[2] / "frontend" / "dist" / "index.html"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser, a server and a worker start slowly on a machine that has other things to do."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(600))


@dataclass(frozen=True)
class Stack:
    """Redis, a database, a model and a worker. Web processes come on top."""

    redis_url: str
    database_url: str
    model: ScriptedModel
    folder: Path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not BUILT_PAGE.is_file():
        pytest.fail("The page has not been built: `make page`.")
    folder = tmp_path_factory.mktemp("stack")
    database_url = migrated(new_sqlite(folder))
    with running_redis() as redis_server, running_scripted_model() as model:
        environment = {
            "REDIS_URL": redis_server.url,
            "DATABASE_URL": database_url,
            "OPENAI_BASE_URL": model.base_url,
            "STREAM_LEASE": "30",  # so that a busy machine is not taken for a dead worker
        }
        with running_worker(folder, **environment):
            yield Stack(redis_server.url, database_url, model, folder)


@contextmanager
def web_on(stack: Stack, **environment: str) -> Iterator[int]:
    """A web process on this stack; yields its port."""
    with web_process_on(stack, **environment) as web:
        yield web.port


@contextmanager
def web_process_on(stack: Stack, **environment: str) -> Iterator[WebProcess]:
    """A web process that a test means to end."""
    log = stack.folder / f"web-{len(list(stack.folder.glob('web-*.log')))}.log"
    variables = {"OPENAI_MODEL": "scripted", "STREAM_LEASE": "30", **environment}
    with running_web(redis_url=stack.redis_url, database_url=stack.database_url, log=log, environment=variables) as web:
        yield web


@contextmanager
def worker_on(stack: Stack, **environment: str) -> Iterator[WorkerProcess]:
    """A worker on this stack, beside the one that is there: with a queue of its own."""
    usual = {
        "REDIS_URL": stack.redis_url,
        "DATABASE_URL": stack.database_url,
        "OPENAI_BASE_URL": stack.model.base_url,
        "STREAM_LEASE": "30",
    }
    with running_worker(stack.folder, **{**usual, **environment}) as worker:
        yield worker


@pytest.fixture(scope="session")
def web_port(stack: Stack) -> Iterator[int]:
    with web_on(stack) as port:
        yield port


@pytest.fixture(scope="session")
def restless_web_port(stack: Stack) -> Iterator[int]:
    """A web process that is dead to a page after two seconds of silence."""
    with web_on(stack, HEARTBEAT_INTERVAL="1") as port:
        yield port


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


class Person:
    """Somebody with a browser of their own, behind a network that can fail."""

    def __init__(self, browser: Browser, proxy: TcpProxy, model: ScriptedModel) -> None:
        self.context = browser.new_context(base_url=proxy.url)
        self.proxy = proxy
        self._model = model
        self._asked_before = len(model.requests())
        self._visits: list[Visit] = []

    def visit(self, path: str = "/") -> Visit:
        """Open a tab and wait until it hears the server."""
        visit = Visit(self.context)
        self._visits.append(visit)
        visit.page.goto(path, wait_until="commit")
        visit.wait_for_link("Live")
        return visit

    def requests(self) -> list[Json]:
        """What the model was asked since this person came."""
        return self._model.requests()[self._asked_before :]

    def faults(self) -> list[str]:
        return [fault for visit in self._visits for fault in visit.faults]


@pytest.fixture
def person(browser: Browser, stack: Stack, web_port: int) -> Iterator[Person]:
    with person_before(browser, stack, web_port) as person:
        yield person


@contextmanager
def person_before(browser: Browser, stack: Stack, port: int) -> Iterator[Person]:
    """A person for the length of the block, whose tabs must not have failed."""
    with ExitStack() as closing:
        proxy = closing.enter_context(running_proxy(port))
        person = Person(browser, proxy, stack.model)
        closing.callback(person.context.close)
        yield person
        assert person.faults() == []


@dataclass(frozen=True)
class ScriptedAnswer:
    """An answer whose deltas come one by one, as the test lets them."""

    deltas: list[str]
    release: Callable[[int], None]

    def first(self, count: int) -> str:
        return "".join(self.deltas[:count])

    @property
    def whole(self) -> str:
        return "".join(self.deltas)


@pytest.fixture
def answer(stack: Stack, request: pytest.FixtureRequest) -> ScriptedAnswer:
    """The next answer of the model: thirty deltas, each of which waits to be released."""
    # Characters of one, two, three and four bytes, of one and of two UTF-16 units, and joined ones.
    deltas = [f"{number}: naïve café, 東京, 🙂, 👩‍👩‍👧, e\u0301; " for number in range(30)]
    gate = request.node.name
    stack.model.script({"deltas": deltas, "gate": gate})
    return ScriptedAnswer(deltas, lambda count: stack.model.release(gate, count))
