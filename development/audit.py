"""`make audit`: known holes in what the lock files name, by pip-audit and npm audit.

Where their data cannot be had, that is said, and is no failure: the answer is then not known. Only a hole is one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from development import node

PROJECT = Path(__file__).parents[1]
LOCKS = (
    "requirements.txt",
    "requirements/traces.txt",
    "requirements/run.txt",
    "requirements/embedded.txt",
    "requirements/dev.txt",
)
TIME_LIMIT = 60  # seconds for each; with the data at hand it takes a few


def main() -> int:
    """1 where a hole is known."""
    found = False
    for lock in LOCKS:
        found |= report(lock, python_holes(run(pip_audit(lock), PROJECT)))
    npm = ["npm", "audit", "--json"]
    found |= report("frontend/package-lock.json", npm_holes(run(npm, node.FRONTEND)))
    return int(found)


def pip_audit(lock: str) -> list[str]:
    """The locks have hashes and all that is needed: nothing is resolved or installed."""
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    return [sys.executable, "-m", "pip_audit", *options, "--requirement", lock]


def run(command: Sequence[str], folder: Path) -> str:
    """What it says; nothing where it takes too long. Its exit code does not tell a hole from data that are missing."""
    try:
        environment = {**os.environ, "PATH": node.path_with_node()}
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIME_LIMIT, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def python_holes(output: str) -> list[str] | None:
    """What pip-audit has found; None where it could not look, also where it passed a package over."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    if any("skip_reason" in package for package in packages) and not any(each.get("vulns") for each in packages):
        return None
    return [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none'}"
        for package in packages
        for hole in package.get("vulns", [])
    ]


def npm_holes(output: str) -> list[str] | None:
    """What npm audit has found; None where it could not look."""
    try:
        holes = json.loads(output)["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return None
    return [f"{name}: {hole['severity']}, in {hole['range']}" for name, hole in holes.items()]


def report(what: str, holes: list[str] | None) -> bool:
    """Say it; whether there is a hole."""
    if holes is None:
        print(f"{what}: not known, because the data about holes cannot be had from here")
    elif not holes:
        print(f"{what}: no known holes")
    else:
        print("\n".join([f"{what}:", *(f"  {hole}" for hole in sorted(set(holes)))]))
    return bool(holes)


if __name__ == "__main__":
    sys.exit(main())
