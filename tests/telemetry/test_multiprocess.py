"""Folders of numbers: a gunicorn has its own while any of its processes lives, and not for long after it was killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[2]

# What gunicorn does: makes the folder, then forks. Each ends when its standard input does, which is the parent's too.
PARENT = """
import os, sys
from telemetry import multiprocess
multiprocess.fresh_folder()
child = os.fork() if "forks" in sys.argv else None
if child != 0:
    print(os.environ[multiprocess.FOLDER], child or 0, flush=True)
sys.stdin.read()
if child == 0:
    os._exit(0)
"""


class Parent:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        folder, child = process.stdout.readline().split()
        self.process, self.folder, self.child = process, Path(folder), int(child)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end_child(self) -> None:
        """Its standard output is the child's too, and ends with it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.stdout.read() == ""


@contextmanager
def started(temporary: Path, *how: str) -> Iterator[Parent]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *how],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Parent(process)


def test_who_ends_takes_the_folder_along(tmp_path: Path) -> None:
    with started(tmp_path) as parent:
        assert list(tmp_path.iterdir()) == [parent.folder]
    assert list(tmp_path.iterdir()) == []


def test_who_starts_removes_what_the_killed_have_left_and_nothing_of_the_living(tmp_path: Path) -> None:
    with started(tmp_path) as living, started(tmp_path) as killed:
        killed.kill()
        assert killed.folder.exists(), "that is why"
        with started(tmp_path) as next_one:
            assert set(tmp_path.iterdir()) == {living.folder, next_one.folder}


def test_as_long_as_a_child_lives_the_folder_is_not_abandoned(tmp_path: Path) -> None:
    with started(tmp_path, "forks") as killed:
        killed.kill()
        with started(tmp_path):
            assert killed.folder.exists()
        killed.end_child()
        with started(tmp_path) as next_one:
            assert list(tmp_path.iterdir()) == [next_one.folder]


def test_what_is_being_made_or_is_nothing_of_ours_stays(tmp_path: Path) -> None:
    being_made, a_file = tmp_path / "rejoinder-metrics-new", tmp_path / "rejoinder-metrics-file"
    being_made.mkdir()
    a_file.touch()
    with started(tmp_path):
        assert being_made.exists()
        assert a_file.exists()
