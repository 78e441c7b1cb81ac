"""Where this checkout's things lie, and whether they are up to date. Standard library only."""

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
STATE = ROOT / ".local"  # what a run leaves behind: the database, the log of Redis, the secret


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two `make`s in one checkout prepare it one after the other."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fingerprint(files: Iterable[Path]) -> str:
    """A digest of the names and the contents of the files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class Stamp:
    """Remembers from what a thing was made. Contents count, not times, which a checkout changes for no reason."""

    def __init__(self, file: Path, made_from: Iterable[Path]) -> None:
        self._file = file
        self._mark = fingerprint(made_from)

    def is_current(self) -> bool:
        return self._file.is_file() and self._file.read_text() == self._mark

    def set(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self._mark)
