"""A bench for each test module: its tests share the servers, not the streams."""

from collections.abc import Iterator

import pytest

from tests.workers.bench import Bench, running_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench
