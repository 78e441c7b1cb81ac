"""Decides, from the environment, what is embedded and what is brought along, and where everything will be."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from development.environment import VENV
from development.state import State
from streams.connection import checked_url

MODEL_NAME = "SmolLM2-135M-Instruct"
FIRST_PORT = 8000
PORTS_TO_TRY = 100
LONGEST_SOCKET_PATH = 103  # bytes; macOS allows 104 with the closing zero, Linux 108


class Unsuitable(Exception):
    """The environment asks for what cannot be had. The message says what."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`environ` is what every child gets; the rest says what is behind it."""

    environ: Mapping[str, str]
    port: int
    embedded_redis: bool
    embedded_model: bool

    @property
    def embedded(self) -> list[str]:
        """The names, in Procfile.dev, of what has to be started before the Procfile's own."""
        return ["redis"] * self.embedded_redis + ["model"] * self.embedded_model


def make_plan(given: Mapping[str, str], state: State) -> Plan:
    """An empty variable counts as absent. Raises Unsuitable."""
    environ = {name: value for name, value in given.items() if value}
    port = _web_port(environ.get("PORT"))
    embedded_redis = "REDIS_URL" not in environ
    if not embedded_redis:
        _check_redis_url(environ["REDIS_URL"])
    embedded_model = "OPENAI_BASE_URL" not in environ and "OPENAI_API_KEY" not in environ
    if embedded_redis:
        environ["REDIS_URL"] = _redis_url(state.folder)
    if embedded_model:
        environ["OPENAI_BASE_URL"] = f"http://127.0.0.1:{free_port()}/v1"
        environ["OPENAI_MODEL"] = MODEL_NAME
        environ.setdefault("TITLE_MODEL", "none")  # it answers every wish for a title with a paragraph
        environ.setdefault("CONTINUE_WITH", "prefix")  # which llama.cpp understands
    environ.setdefault("DATABASE_URL", f"sqlite:///{state.folder / 'rejoinder.sqlite3'}")
    if "SECRET_KEY" not in environ:
        environ["SECRET_KEY"] = state.secret()
    environ.setdefault("SHUTDOWN_GRACE", "3")  # who presses Ctrl-C waits for it
    environ.setdefault("LOG_LEVEL", "WARNING")
    environ.setdefault("LOG_FORMAT", "text")  # our console reads it line by line, and shows it to a person
    # The Procfile's web process is open to the network, and keeps idle connections, as a platform's router needs it.
    # Here it is for this machine, and somebody waits for its end.
    environ.setdefault("GUNICORN_CMD_ARGS", f"--bind=127.0.0.1:{port} --keep-alive=2")
    # What we start here is asked directly, also where everything else goes through a proxy.
    direct = ",".join(filter(None, [environ.get("NO_PROXY") or environ.get("no_proxy"), "127.0.0.1", "localhost"]))
    environ |= {
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PORT": str(port),
        "REJOINDER_STATE": str(state.folder),
        "PATH": os.pathsep.join([str(VENV / "bin"), environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }
    return Plan(environ, port, embedded_redis, embedded_model)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def without_password(url: str) -> str:
    """For people to read."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _check_redis_url(url: str) -> None:
    try:
        checked_url(url)
    except ValueError as error:
        raise Unsuitable(f"REDIS_URL is not right ({error}); expected for example redis://localhost:6379/0.") from None


def _redis_url(folder: Path) -> str:
    path = folder / "redis.sock"
    # RQ asks Redis about its own connection, and redis-py takes the answer apart at white space and `=`.
    if len(bytes(path)) <= LONGEST_SOCKET_PATH and not re.search(r"[\s=]", str(path)):
        return f"unix://{quote(str(path))}"
    return f"redis://127.0.0.1:{free_port()}/0"


def _web_port(given: str | None) -> int:
    if given is None:
        return next(filter(_is_free, range(FIRST_PORT, FIRST_PORT + PORTS_TO_TRY)), 0) or free_port()
    try:
        port = int(given)
        taken = not _is_free(port)
        if port == 0:
            raise ValueError
    except (ValueError, OverflowError):
        raise Unsuitable(f"PORT is {given!r}; expected a number from 1 to 65535.") from None
    if taken:
        raise Unsuitable(f"PORT is {port}, which another program uses (or which we may not use).")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
