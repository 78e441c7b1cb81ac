"""Finds Node and npm, or installs them from a Python package. Standard library only.

`python -m development.node npm test` runs a command with them, in the folder of the page.
"""

import os
import re
import shutil
import subprocess
import sys

from development import environment
from development.checkout import ROOT, Stamp, one_at_a_time

FRONTEND = ROOT / "frontend"


def path_with_node() -> str:
    """The PATH on which `node` and `npm` are found."""
    path = os.environ.get("PATH", os.defpath)
    if _suits(shutil.which("node")) and shutil.which("npm"):
        return path
    environment.install("node")
    return f"{environment.VENV / 'bin'}{os.pathsep}{path}"


def install_modules() -> None:
    """Make frontend/node_modules hold what its package-lock.json names."""
    modules = FRONTEND / "node_modules"
    stamp = Stamp(modules / ".stamp", [FRONTEND / "package-lock.json"])
    if not stamp.is_current():
        print("Installing the page's packages (frontend/package-lock.json)", flush=True)
        # Not `npm ci`: it refuses a lock without the optional packages of platforms that a mirror does not carry.
        # What is in the lock is installed as locked either way, and checked against its hash.
        npm("install", "--no-save", "--no-audit", "--no-fund")
        stamp.set()


def npm(*arguments: str) -> None:
    """Run npm in the folder of the page."""
    subprocess.run(["npm", *arguments], cwd=FRONTEND, check=True, env={**os.environ, "PATH": path_with_node()})


def _suits(node: str | None) -> bool:
    """As `engines` in frontend/package.json asks."""
    if not node:
        return False
    answer = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    numbers = re.match(r"v(\d+)\.(\d+)", answer)
    version = tuple(map(int, numbers.groups())) if numbers else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


if __name__ == "__main__":
    with one_at_a_time():
        os.environ["PATH"] = path_with_node()
    os.chdir(FRONTEND)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 (becomes that command)
