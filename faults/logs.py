"""What the processes of the stack have logged. Each file is read once, however often one looks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path

TRACEBACK = "Traceback"


@dataclass
class _File:
    path: Path
    lines: list[str] = field(default_factory=list)
    read: int = 0
    """Bytes, up to the end of the last whole line."""
    told: int = 0
    """Lines that were searched for tracebacks."""

    def update(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.read += len(whole)
        self.lines += whole.decode("utf-8", "replace").splitlines()


class Logs:
    """One file for each process that ever ran."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[_File] = []
        self._numbers = count()

    def new(self, kind: str) -> Path:
        """Where one more process of this kind is to log."""
        self._files.append(_File(self._folder / f"{kind}-{next(self._numbers)}.log"))
        return self._files[-1].path

    def mark(self) -> dict[Path, int]:
        """A moment, for `lines`."""
        return {file.path: len(file.lines) for file in self._updated()}

    def lines(self, *words: str, since: dict[Path, int] | None = None) -> list[str]:
        """Those that hold all of these words, and were not there at that moment."""
        return [
            line
            for file in self._updated()
            for line in file.lines[(since or {}).get(file.path, 0) :]
            if all(word in line for word in words)
        ]

    def tracebacks(self, excused: set[str]) -> list[str]:
        """What was logged with a traceback since the last look, but for lines that have `excused` words."""
        found = []
        for file in self._updated():
            for line, following in pairwise(file.lines[file.told :]):
                begins = (
                    following.lstrip().startswith(TRACEBACK) and line
                )  # else it is the cause of one that has been told
                if begins and not any(words in line for words in excused):
                    found.append(f"{file.path.name}: {line}")
            file.told = max(file.told, len(file.lines) - 1)  # the last may be what a traceback follows
        return found

    def _updated(self) -> Iterator[_File]:
        for file in self._files:
            file.update()
            yield file
