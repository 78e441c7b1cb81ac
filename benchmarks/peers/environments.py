"""Packages of the peers and of the plots: from the registries, as locked, into a folder of its own for each.

Never among the project's.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from development import node
from development.checkout import STATE, Stamp, one_at_a_time
from development.environment import AS_LOCKED, VENV

SOURCES = Path(__file__).parent
UV = VENV / "bin" / "uv"


def folder(name: str) -> Path:
    """Where the environment of a peer is, or will be."""
    return STATE / "benchmarks" / name


def install_python(name: str, sources: Path = SOURCES) -> None:
    """Make the environment of this name hold what its requirements.txt names. Returns at once if it does already."""
    target, lock = folder(name), sources / name / "requirements.txt"
    stamp = Stamp(target / "stamp", [lock])
    with one_at_a_time():
        if stamp.is_current() and (target / "bin" / "python").exists():
            return
        _say(name)
        if not _with_uv(target, lock):
            _with_pip(target, lock)
        stamp.set()


def install_node(name: str) -> None:
    """Make the peer's folder hold its server and what its package-lock.json names; `bin/node` runs it."""
    target, source = folder(name), SOURCES / name
    stamp = Stamp(target / "stamp", [source / "package-lock.json"])
    target.mkdir(parents=True, exist_ok=True)
    with one_at_a_time():
        # Node looks for packages from where the program lies.
        for file in ("package.json", "package-lock.json", "server.js"):
            shutil.copyfile(source / file, target / file)
        if stamp.is_current() and (target / "bin" / "node").exists():
            return
        _say(name)
        environment = {**os.environ, "PATH": node.path_with_node()}
        command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=target, env=environment, check=True)
        _link(target / "bin" / "node", Path(shutil.which("node", path=environment["PATH"]) or "node"))
        stamp.set()


def _with_uv(target: Path, lock: Path) -> bool:
    """uv takes a fraction of pip's time. But it does not read pip's settings, which may name a mirror."""
    if not UV.exists():
        return False
    made: list[str | Path] = [UV, "venv", "--quiet", "--clear", "--python", sys.executable, target]
    filled: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", target / "bin" / "python"]
    return all(
        subprocess.run(command, check=False).returncode == 0 for command in (made, [*filled, *AS_LOCKED, "-r", lock])
    )


def _with_pip(target: Path, lock: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", target], check=True)
    pip: list[str | Path] = [target / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", *AS_LOCKED, "-r", lock], check=True)


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _say(name: str) -> None:
    print(f"Installing the packages of {name} for the benchmarks", file=sys.stderr, flush=True)
