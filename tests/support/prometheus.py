"""A real Prometheus, where there is one (Debian's package `prometheus`), that scrapes what a test runs."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.support.ports import free_port
from tests.support.waiting import wait_until


def is_installed() -> bool:
    return bool(shutil.which("prometheus") and shutil.which("promtool"))


class Prometheus:
    """Listens on a port of its own."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that it has now, by its HTTP API. Raises AssertionError with its words where it cannot read it."""
        try:
            with urlopen(f"{self._url}/api/v1/query?{urlencode({'query': expression})}", timeout=60) as answer:  # noqa: S310
                series: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except HTTPError as refused:
            with refused:
                raise AssertionError(f"{expression}: {refused.read().decode()}") from None
        return series

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self._url}/-/ready", timeout=60) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


def lint(*arguments: str | Path, given: bytes = b"") -> None:
    """Raise AssertionError with what promtool has to say, unless that is nothing."""
    said = subprocess.run(["promtool", "check", *arguments], input=given, capture_output=True)
    assert said.returncode == 0, (said.stdout + said.stderr).decode()


@contextmanager
def running_prometheus(config: Mapping[str, Any], folder: Path) -> Iterator[Prometheus]:
    """With this configuration, for the length of the block."""
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(yaml.safe_dump(dict(config)))
    lint("config", file)
    options = [f"--config.file={file}", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log)
    try:
        prometheus = Prometheus(port)
        wait_until(prometheus.is_ready, what="Prometheus to be ready")
        yield prometheus
    finally:
        process.terminate()
        process.wait(60)
