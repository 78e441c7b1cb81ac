"""Who one was at a server, and in which conversation, so that a later `ask` goes on and a `follow` may look.

A cookie is as good as a password, so the file can be read by nobody else.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Identity:
    """At one server."""

    cookie: str
    conversation: str | None = None


class Identities:
    """One file in the user's own folder of settings, with an entry for each server."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or Path(click.get_app_dir("rejoinder"))) / "identities.json"

    def at(self, server: str) -> Identity | None:
        """None where nobody has asked from here."""
        found = self._read().get(server)
        try:
            return Identity(str(found["cookie"]), found["conversation"]) if found else None
        except (TypeError, KeyError):  # not of ours
            return None

    def keep(self, server: str, identity: Identity) -> None:
        """Raises OSError."""
        every = {**self._read(), server: asdict(identity)}
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(every, file, indent=2)
        new.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            every = json.loads(self._file.read_text())
        except (OSError, ValueError):  # none yet, or it is not readable: whoever asks is a stranger
            return {}
        return every if isinstance(every, dict) else {}
