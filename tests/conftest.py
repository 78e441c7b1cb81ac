"""What holds for every test: property tests are deterministic and never fail for being slow; several run at once."""

import os
from collections.abc import Iterator

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


def pytest_xdist_auto_num_workers() -> int:
    """How many `-n auto` means. Tests mostly wait, so there may be more of them than cores."""
    return min(MOST_AT_ONCE, 2 * (os.cpu_count() or 1))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server's first database."""
    try:
        with running_postgres() as url:
            yield url
    except NoPostgres as reason:  # only where there is no binary of it: the wheel is for x86-64, as pyproject.toml says
        pytest.skip(f"PostgreSQL: {reason}")
