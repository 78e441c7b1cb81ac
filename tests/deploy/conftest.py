"""The slug: built once for all tests of this folder, by the first of the processes that run them; it takes a while."""

import fcntl
import os

import pytest

from tests.support.slug import Slug, build


@pytest.fixture(scope="session")
def slug(tmp_path_factory: pytest.TempPathFactory) -> Slug:
    """The project as a platform has built it from a clone. No test changes it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # each has a folder of its own in it
    slug, is_built = Slug(shared / "app", shared / "packages"), shared / "is-built"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_built.exists():
            build(slug.folder, slug.packages)
            is_built.touch()
    return slug
