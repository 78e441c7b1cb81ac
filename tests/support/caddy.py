"""A real Caddy of the test's own, with one of our configuration files."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import answers_at
from tests.support.waiting import wait_until


def caddy() -> Path:
    """The program: from the Python package, else from the PATH. Skips the test where there is none."""
    packaged = Path(sys.executable).with_name("caddy")
    found = packaged if packaged.exists() else shutil.which("caddy")
    if not found:
        pytest.skip("there is no Caddy: its package is for Linux on x86-64, and none is on the PATH")
    return Path(found)


@contextmanager
def running_caddy(config: Path, port: int, folder: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """One that listens on `port`, as its variables tell it, for the length of the block."""
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [caddy(), "run", "--adapter", "caddyfile", "--config", config],
            env={"PATH": "/usr/bin:/bin", **homes, **variables},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers_at(port) or process.poll() is not None, what="Caddy to listen")
        assert process.poll() is None, (folder / "caddy.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait()
