"""The slug: built once for all tests of this folder that run in one process, for it takes half a minute."""

import pytest

from tests.support.slug import Slug, build


@pytest.fixture(scope="session")
def slug(tmp_path_factory: pytest.TempPathFactory) -> Slug:
    """The project as a platform has built it from a clone."""
    folder = tmp_path_factory.mktemp("deploy")
    return build(folder / "app", folder / "packages")
