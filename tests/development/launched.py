"""The launcher as a process of its own, on a Procfile that a test writes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until

TIME_LIMIT = 90.0  # seconds; a busy machine takes some of them to start a handful of Pythons

# Notes its process id and what happens to it, one JSON object a line. `{dying}` is what it does when asked to end.
PROGRAM = """
import json, os, signal, sys, time

def note(**fact):
    with open(os.environ["NOTES"], "a") as file:
        file.write(json.dumps({{"name": {name!r}, **fact}}) + "\\n")

def end(*_):
    {dying}
    note(event="asked to end")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
note(event="started", pid=os.getpid())
{then}
"""
FOR_EVER = "while True: signal.pause()"


@dataclass
class Launched:
    process: subprocess.Popen[bytes]
    state: Path
    output: Path
    notes: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_it_says(self, words: str) -> None:
        wait_until(lambda: words in self.said, TIME_LIMIT, f"the launcher to say {words!r}")

    def noted(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.notes.read_text().splitlines()] if self.notes.exists() else []

    def events(self) -> list[tuple[object, object]]:
        return [(note["name"], note["event"]) for note in self.noted()]

    def pids(self) -> list[int]:
        return [int(str(note["pid"])) for note in self.noted() if "pid" in note]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(TIME_LIMIT)


def program(folder: Path, name: str, then: str = FOR_EVER, dying: str = "pass") -> str:
    """The command of a program that notes what happens to it."""
    file = folder / f"{name}.py"
    file.write_text(PROGRAM.format(name=name, then=then, dying=dying))
    return f"{sys.executable} {file}"


@contextmanager
def launched(folder: Path, procfile: Mapping[str, str], **environ: str) -> Iterator[Launched]:
    """Run the launcher on this Procfile, and on the project's own Procfile.dev. The embedded Redis is real."""
    (folder / "Procfile").write_text("".join(f"{name}: {command}\n" for name, command in procfile.items()))
    # A model that is brought along is not contacted by the launcher.
    given = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "NOTES": str(folder / "notes")}
    command = [sys.executable, "-m", "development.run", "--state", str(folder / "state")]
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(
            [*command, "--procfile", str(folder / "Procfile")],
            env=given | environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Launched(process, folder / "state", folder / "output", folder / "notes")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(TIME_LIMIT)


def is_running(pid: int) -> bool:
    """Whether the process is there and does something; an unburied one does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
