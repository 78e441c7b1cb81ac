"""The systemd units: systemd itself finds nothing wrong with them, and they run what the Procfile runs."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from tests.support.slug import PROJECT
from workers.settings import Settings as WorkerSettings

UNITS = sorted((PROJECT / "docs" / "deploy" / "systemd").glob("*.service"))
INSTALLED = "/opt/rejoinder/.venv/bin"


def read(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names of options have capitals
    parser.read(unit)
    return parser


def test_systemd_finds_nothing_wrong_with_them(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd on this machine")
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name.replace("@", "@1")
        # What they start has to exist.
        copy.write_text(unit.read_text().replace(INSTALLED, str(Path(sys.executable).parent)))
        copies.append(copy)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *copies], capture_output=True, text=True
    )
    ours = [line for line in said.stderr.splitlines() if "rejoinder" in line]
    assert (said.returncode, ours) == (0, [])


def test_they_run_what_the_procfile_runs() -> None:
    lines = set(parse_procfile((PROJECT / "Procfile").read_text()).processes.values())
    assert {read(unit)["Service"]["ExecStart"].removeprefix(f"{INSTALLED}/") for unit in UNITS} == lines


def test_a_worker_is_given_more_time_than_it_takes() -> None:
    (worker,) = [unit for unit in UNITS if "worker" in unit.name]
    given = int(read(worker)["Service"]["TimeoutStopSec"])
    assert given > WorkerSettings.model_fields["shutdown_grace"].default
