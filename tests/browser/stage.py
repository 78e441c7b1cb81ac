"""The whole system, as it is deployed, and people before it with browsers and bad networks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import Visit
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import Json, ScriptedModel, running_scripted_model
from tests.support.tcp_proxy import TcpProxy, running_proxy
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import WorkerProcess, running_worker


@dataclass(frozen=True)
class Stack:
    """Redis, a database, a model and a worker. Web processes come on top."""

    redis_url: str
    database_url: str
    model: ScriptedModel
    folder: Path


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """All that a web process needs beside itself, for the length of the block."""
    database_url = migrated(new_sqlite(folder))
    with running_redis() as redis_server, running_scripted_model() as model:
        environment = {
            "REDIS_URL": redis_server.url,
            "DATABASE_URL": database_url,
            "OPENAI_BASE_URL": model.base_url,
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
    variables = {"OPENAI_MODEL": "scripted", **environment}
    with running_web(redis_url=stack.redis_url, database_url=stack.database_url, log=log, environment=variables) as web:
        yield web


@contextmanager
def worker_on(stack: Stack, **environment: str) -> Iterator[WorkerProcess]:
    """A worker on this stack, beside the one that is there: with a queue of its own."""
    usual = {
        "REDIS_URL": stack.redis_url,
        "DATABASE_URL": stack.database_url,
        "OPENAI_BASE_URL": stack.model.base_url,
    }
    with running_worker(stack.folder, **{**usual, **environment}) as worker:
        yield worker


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


@contextmanager
def person_before(browser: Browser, stack: Stack, port: int) -> Iterator[Person]:
    """A person for the length of the block, whose tabs must not have failed."""
    with ExitStack() as closing:
        proxy = closing.enter_context(running_proxy(port))
        person = Person(browser, proxy, stack.model)
        closing.callback(person.context.close)
        yield person
        assert person.faults() == []


Stranger = Callable[[], Person]
"""Makes people who know nobody."""


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
