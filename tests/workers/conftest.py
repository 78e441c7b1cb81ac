"""A bench for each test module: its tests share the servers, not the streams."""

from collections.abc import Iterator

import pytest

from tests.workers.bench import Bench, running_bench


@pytest.fixture(autouse=True)
def nothing_scripted(request: pytest.FixtureRequest) -> None:
    """One test that fails is one: what it has scripted is not answered to the next."""
    if "bench" in request.fixturenames:
        request.getfixturevalue("bench").model.forget()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench
