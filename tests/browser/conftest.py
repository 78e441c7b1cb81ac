"""The stage of every browser test; see stage.py."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.stage import Person, ScriptedAnswer, Stack, Stranger, person_before, running_stack, web_on
from tests.support.browser import running_browser

BUILT_PAGE = Path(__file__).parents[2] / "frontend" / "dist" / "index.html"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser, a server and a worker start slowly on a machine that has other things to do."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not BUILT_PAGE.is_file():
        pytest.fail("The page has not been built: `make page`.")
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """For tests that look at all that there is: a Redis in which nobody else's streams, jobs and processes are."""
    with running_stack(tmp_path_factory.mktemp("own-stack")) as stack:
        yield stack


@pytest.fixture(autouse=True)
def nothing_scripted(request: pytest.FixtureRequest) -> None:
    """One test that fails is one: what it has scripted is not answered to the next."""
    for name in {"stack", "own_stack"} & set(request.fixturenames):
        request.getfixturevalue(name).model.forget()


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


@pytest.fixture
def person(browser: Browser, stack: Stack, web_port: int) -> Iterator[Person]:
    with person_before(browser, stack, web_port) as person:
        yield person


@pytest.fixture
def answer(stack: Stack, request: pytest.FixtureRequest) -> ScriptedAnswer:
    """The next answer of the model: thirty deltas, each of which waits to be released."""
    # Characters of one, two, three and four bytes, of one and of two UTF-16 units, and joined ones.
    deltas = [f"{number}: naïve café, 東京, 🙂, 👩‍👩‍👧, e\u0301; " for number in range(30)]
    gate = request.node.name
    stack.model.script({"deltas": deltas, "gate": gate})
    return ScriptedAnswer(deltas, lambda count: stack.model.release(gate, count))


@pytest.fixture
def stranger(browser: Browser, stack: Stack, web_port: int) -> Iterator[Stranger]:
    """Makes people who know nobody: each has a browser context and a network of their own."""
    with ExitStack() as people:
        yield lambda: people.enter_context(person_before(browser, stack, web_port))
