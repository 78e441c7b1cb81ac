"""What a platform makes of a clone: the page built, the locked packages installed, and nothing else."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

from development.node import path_with_node

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
NOT_CLONED = (".git", ".venv", ".local", "node_modules", "dist", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Slug:
    """A built copy of the project in a folder, and the environment that its packages are in."""

    folder: Path
    packages: Path

    def process_types(self) -> dict[str, str]:
        """The lines of the Procfile."""
        return dict(parse_procfile((self.folder / "Procfile").read_text()).processes)

    def environ(self, variables: Mapping[str, str]) -> dict[str, str]:
        """What a process of the platform sees: these variables and the programs, nothing of this machine."""
        return {"PATH": f"{self.packages / 'bin'}:/usr/bin:/bin", "HOME": str(self.folder), **variables}

    def run(self, command: str, variables: Mapping[str, str]) -> str:
        """Run a one-off process, as the release phase is; what it said."""
        environ = self.environ(variables)
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    @contextmanager
    def dyno(self, command: str, variables: Mapping[str, str], log: Path) -> Iterator["Dyno"]:
        """Run a process type until the end of the block."""
        with log.open("w") as output:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.environ(variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        dyno = Dyno(process, log)
        try:
            yield dyno
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclass(frozen=True)
class Dyno:
    """A process of a platform, with all that it has started."""

    process: subprocess.Popen[bytes]
    log: Path

    def terminate(self) -> None:
        """SIGTERM to every process in it, as Heroku does."""
        os.killpg(self.process.pid, signal.SIGTERM)

    def said(self, words: str) -> bool:
        """Whether its log has these. Raises RuntimeError, with the log, when it has ended without."""
        ended = self.process.poll() is not None
        log = self.log.read_text()
        if words in log:
            return True
        if ended:
            raise RuntimeError(f"it ended with {self.process.returncode}:\n{log}")
        return False


def build(target: Path, packages: Path) -> Slug:
    """Do what Heroku's build packs for Node and Python do, in the order of app.json."""
    ignored = [line.strip("/") for line in (PROJECT / ".slugignore").read_text().split()]
    shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns(*NOT_CLONED))
    for path in ignored:
        shutil.rmtree(target / path, ignore_errors=True)  # not every one is there in every version
    _node(target)
    install(target / "requirements.txt", packages)
    return Slug(target, packages)


def install(requirements: Path, packages: Path) -> None:
    """Make an environment of exactly these packages."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, packages], check=True)
    as_locked = ["--require-hashes", "--no-deps", "-r", str(requirements)]
    subprocess.run([UV, "pip", "install", "--quiet", "--python", packages / "bin" / "python", *as_locked], check=True)


def _node(folder: Path) -> None:
    environ = {**os.environ, "PATH": path_with_node(), "NODE_ENV": "production"}
    scripts = json.loads((folder / "package.json").read_text())["scripts"]
    for command in ("npm ci", *(f"npm run {script}" for script in ("build", "heroku-cleanup") if script in scripts)):
        subprocess.run(shlex.split(command), cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
