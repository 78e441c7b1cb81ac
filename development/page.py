"""Builds the page, when its sources have changed. Standard library only."""

from collections.abc import Iterator
from pathlib import Path

from development import node
from development.checkout import STATE, Stamp

NOT_SOURCES = {"node_modules", "dist", "tests", "benchmarks"}


def build() -> None:
    """Make frontend/dist hold the page as its sources are now."""
    stamp = Stamp(STATE / "page.stamp", _sources(node.FRONTEND))
    if stamp.is_current() and (node.FRONTEND / "dist" / "index.html").is_file():
        return
    node.install_modules()
    print("Building the page (frontend/)", flush=True)
    node.npm("run", "build")
    stamp.set()


def _sources(frontend: Path) -> Iterator[Path]:
    for entry in frontend.iterdir():
        if entry.name not in NOT_SOURCES:
            yield from (file for file in [entry, *entry.rglob("*")] if file.is_file())
