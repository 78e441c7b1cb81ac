"""The Dockerfile, read; and what its last stage holds, made by hand, because an engine is not everywhere."""

import json
import re
import shutil
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from tests.support.slug import PROJECT


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    copies: list[tuple[str | None, list[str], str]] = field(default_factory=list)
    """From which stage (None: from the project), what, where to."""
    environ: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    workdir: str = "/"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def stages() -> list[Stage]:
    """What our Dockerfile says; it is written in a small part of the language."""
    text = re.sub(r"^#.*\n", "", (PROJECT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        else:
            _take(found[-1], word, rest.strip())
    return found


def _take(stage: Stage, word: str, rest: str) -> None:
    match word:
        case "COPY":
            words = rest.split()
            origin = words.pop(0).removeprefix("--from=") if rest.startswith("--from=") else None
            stage.copies.append((origin, words[:-1], words[-1]))
        case "ENV":
            stage.environ |= dict(pair.split("=", 1) for pair in rest.split())
        case "USER":
            stage.user = rest
        case "WORKDIR":
            stage.workdir = rest
        case "CMD":
            stage.command = json.loads(rest)
        case "HEALTHCHECK":
            stage.health = json.loads(rest.partition("CMD")[2])
        case "RUN" | "ARG" | "EXPOSE":
            pass  # RUN is what the slug does in its way
        case _:
            raise ValueError(f"{word}: not a part of the language that is read here")


def is_let_in(path: str) -> bool:
    """Whether .dockerignore lets this path of the project through: the last line that fits decides."""
    let_in = True
    for line in (PROJECT / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!")
        parts = [path, *(str(parent) for parent in Path(path).parents)]
        if pattern.startswith("**/"):  # in any folder, and else in the first only
            pattern, parts = pattern.removeprefix("**/"), list(Path(path).parts)
        if any(fnmatch(part, pattern) for part in parts):
            let_in = line.startswith("!")
    return let_in


def unpack(target: Path, page: Path) -> Path:
    """Make the folder in which the processes of the last stage run; `page` is the built one."""
    last = stages()[-1]
    for origin, sources, destination in last.copies:
        if origin == "page":
            shutil.copytree(page, target / destination)
        elif origin is None:
            for source in sources:
                _copy(source, target / destination)
    return target


def _copy(source: str, destination: Path) -> None:
    if (PROJECT / source).is_file():
        destination.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / source, destination)
    for file in sorted(file for file in (PROJECT / source).rglob("*") if file.is_file()):
        if is_let_in(file.relative_to(PROJECT).as_posix()):
            copy = destination / file.relative_to(PROJECT / source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
