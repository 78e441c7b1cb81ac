"""The folder of one running Rejoinder: who has claimed it, where its parts are, its secret."""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path


class Claimed(Exception):
    """Another launcher runs, or is still stopping, in this folder. The message says where."""


class State:
    """Claims the folder for the length of a `with` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._places = self.folder / "running.json"

    def __enter__(self) -> "State":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "running.lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            address = self.places().get("web")
            raise Claimed(f"Rejoinder runs already in {self.folder}" + (f": {address}" if address else ".")) from None
        self._places.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._places.unlink(missing_ok=True)
        self._lock.close()

    @property
    def lock(self) -> int:
        """The descriptor that holds the claim: as long as anybody has it open, nobody else may start here."""
        return self._lock.fileno()

    def publish(self, places: Mapping[str, str]) -> None:
        """Write down where the parts are, for other programs."""
        self._places.write_text(json.dumps(places))

    def places(self) -> dict[str, str]:
        """Where the parts are; empty as long as they are not all there."""
        try:
            places: dict[str, str] = json.loads(self._places.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return places

    def secret(self) -> str:
        """What signs the cookies: made once, so that a restart knows its visitors again."""
        file = self.folder / "secret"
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as new:
                new.write(secrets.token_urlsafe(32))
        return file.read_text()
