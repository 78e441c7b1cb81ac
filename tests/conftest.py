"""What holds for every test: property tests are deterministic and never fail for being slow; several run at once."""

import os
from collections.abc import Iterator
from itertools import chain, groupby
from math import ceil

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres_server import NoPostgres, running_postgres

# The same examples each time. `HYPOTHESIS_PROFILE=explore make test-python` looks for new ones.
settings.register_profile(
    "deterministic", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", settings.get_profile("deterministic"), derandomize=False, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deterministic"))

MOST_AT_ONCE = 8  # each of them has servers of its own
LONG = ("deploy", "system", "workers")  # folders of tests that start processes of their own, and mostly wait for them


def pytest_xdist_auto_num_workers() -> int:
    """How many `-n auto` means. Tests mostly wait, so there may be more of them than cores."""
    return min(MOST_AT_ONCE, 2 * (os.cpu_count() or 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of those that run at once begins with its share of the long ones.

    So none is left alone with them at the end, and while they wait others use the processors. xdist gives everybody
    as many tests as anybody, in this order; a module stays together, for its tests share its servers.
    """
    hands: list[list[pytest.Item]] = [[] for _ in range(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))]
    rest: list[pytest.Item] = []
    size = ceil(len(items) / len(hands))
    for path, tests in groupby(items, lambda item: item.path):
        (min(hands, key=len) if path.parent.name in LONG else rest).extend(tests)
    for hand in hands:
        missing = max(0, size - len(hand))
        hand += rest[:missing]
        del rest[:missing]
    items[:] = [*chain(*hands), *rest]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server's first database."""
    try:
        with running_postgres() as url:
            yield url
    except NoPostgres as reason:  # only where there is no binary of it: the wheel is for x86-64, as pyproject.toml says
        pytest.skip(f"PostgreSQL: {reason}")
