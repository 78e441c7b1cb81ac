"""The `rejoinder` command as a process of its own, with nothing of this one's environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "rejoinder")
LIMIT = 240.0  # seconds; it takes two, but not on a machine that is busy with other things

Ended = subprocess.CompletedProcess[bytes]


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Only what is said here, and where programs are."""
    return {"PATH": os.environ["PATH"], **environment}


def rejoinder(*arguments: str, environment: Mapping[str, str] | None = None, given: bytes = b"") -> Ended:
    """Run it to its end. `given` is its standard input."""
    command = [*COMMAND, *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=clean(environment or {}), input=given, capture_output=True, timeout=LIMIT, check=False
    )
