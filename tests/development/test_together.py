"""Several targets of make at the same time."""

import os
import subprocess
import sys
from pathlib import Path

from development.checkout import ROOT

# Each of the first two ends only when the other has begun.
MAKEFILE = """
one:
	@echo one begins; touch one; while ! test -e two; do sleep 0.05; done; echo one ends
two:
	@echo two begins; touch two; while ! test -e one; do sleep 0.05; done; echo two ends
broken:
	@echo there is no cheese >&2; exit 3
"""


def together(folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    (folder / "Makefile").write_text(MAKEFILE)
    command = [sys.executable, "-m", "development.together", "make", *targets]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=90)


def test_they_run_at_the_same_time_and_what_each_says_stays_together(tmp_path: Path) -> None:
    done = together(tmp_path, "one", "two")
    assert done.returncode == 0
    assert "one begins\none ends\n--- make one: passed" in done.stdout
    assert "two begins\ntwo ends\n--- make two: passed" in done.stdout


def test_one_that_fails_is_named_at_the_end_and_hides_nothing_of_the_others(tmp_path: Path) -> None:
    done = together(tmp_path, "broken", "one", "two")
    assert done.returncode == 1
    assert "there is no cheese" in done.stdout
    assert "one begins\none ends\n--- make one: passed" in done.stdout
    assert done.stderr == "\nFAILED: make broken\n"
