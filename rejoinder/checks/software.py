"""The program's own environment: Python, the packages against the lock file, the built page."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from rejoinder.checks.findings import Finding, ok, warning, wrong

LOCK = Path(__file__).parents[2] / "requirements.txt"
OLDEST_PYTHON = (3, 11)
NAMED = 5  # packages that one line names


def check_python() -> list[Finding]:
    running = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return [wrong("Python", running, "Use 3.11 or newer.")]
    return [ok("Python", running)]


def check_packages(lock: Path = LOCK) -> list[Finding]:
    """Whether what is installed is what was tested together."""
    about = "packages"
    if not lock.is_file():
        return [warning(about, f"there is no {lock.name} to compare them with", "Deploy it with the rest.")]
    locked = _locked(lock)
    missing, others = [], []
    for name, wanted in sorted(locked.items()):
        try:
            installed = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if installed != wanted:
            others.append(f"{name} {installed} instead of {wanted}")
    install = f"Install them as locked: python -m pip install --require-hashes --no-deps -r {lock.name}."
    if missing:
        return [wrong(about, f"not installed: {_some(missing)}", install)]
    if others:
        return [warning(about, f"not as locked: {_some(others)}", install)]
    return [ok(about, f"all {len(locked)} as locked in {lock.name}")]


def check_page(folder: Path) -> list[Finding]:
    """Whether there is a page to serve."""
    about = "page"
    if (folder / "index.html").is_file():
        return [ok(about, f"built, in {folder}")]
    return [wrong(about, f"there is no built page in {folder}", "Build it with `make page`, or correct PAGE_FOLDER.")]


def _locked(lock: Path) -> dict[str, str]:
    """Name and version of every line that counts on this machine."""
    found: dict[str, str] = {}
    for line in lock.read_text().splitlines():
        try:
            requirement = Requirement(line.rstrip("\\ "))
        except InvalidRequirement:  # a hash, or a comment
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            [exactly] = requirement.specifier
            found[canonicalize_name(requirement.name)] = exactly.version
    return found


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
