"""The Dockerfile, as far as it can be judged without an engine: what a linter says, and that nothing is missing."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.image import is_let_in, stages, unpack
from tests.support.slug import PROJECT, Slug

pytestmark = pytest.mark.timeout(600)  # builds the page


def test_a_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint's package is for Linux on x86-64")
    said = subprocess.run([linter, "--no-color", PROJECT / "Dockerfile"], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")


def test_the_bases_are_pinned_and_what_runs_is_not_root_and_says_how_it_is() -> None:
    for stage in stages():
        assert re.search(r":\d+\.\d+\.\d+-slim|:\d+\.\d+\.\d+-\w+-slim", stage.base), stage.base
    last = stages()[-1]
    assert int(last.user) > 0
    assert "readyz" in " ".join(last.health)


def test_whatever_is_copied_exists_and_is_let_in() -> None:
    names = {stage.name for stage in stages()}
    copied = [copy for stage in stages() for copy in stage.copies]
    assert all(origin in names for origin, _, _ in copied if origin)
    for source in [source for origin, sources, _ in copied if not origin for source in sources]:
        assert (PROJECT / source).exists(), source
        assert is_let_in(source), source


def test_nothing_private_or_large_is_let_in() -> None:
    for path in [".git", ".env", ".local/rejoinder.sqlite3", ".venv/bin", "frontend/node_modules/x", "tests/x.py"]:
        assert not is_let_in(path), path


def test_the_image_has_every_package_that_is_deployed_and_all_of_it_can_be_imported(slug: Slug, tmp_path: Path) -> None:
    folder = unpack(tmp_path / "image", slug.folder / "frontend" / "dist")
    linted = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    assert {path.name for path in folder.iterdir()} == {*linted, "frontend", "bin", "requirements.txt"}
    modules = [
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for package in linted
        for path in (folder / package).rglob("*.py")
        # Those that start something, and what is there only with the extra `traces`.
        if path.stem not in {"__main__", "__init__", "env", "wsgi", "dashboard_wsgi", "gunicorn_conf", "otel"}
        and "versions" not in path.parts
    ]
    assert len(modules) > 50
    imports = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run(
        [slug.packages / "bin" / "python", "-c", imports, *modules], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
