"""The peers, by name."""

import sys
from functools import partial
from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.peer import Peer, Program, Resumes

PROJECT = Path(__file__).parents[2]
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "benchmarks/peers/gunicorn_conf.py")


def _with_own_python(name: str) -> Program:
    """Not in the project's folder, whose packages it must not see."""
    return Program((str(environments.folder(name) / "bin" / "python"), "server.py"), environments.SOURCES / name)


def _with_own_node(name: str) -> Program:
    folder = environments.folder(name)
    return Program((str(folder / "bin" / "node"), "server.js"), folder)


NAIVE = Peer(
    "naive",
    web=Program((*GUNICORN, "benchmarks.peers.naive.web:app"), PROJECT),
    worker=Program((sys.executable, "-m", "benchmarks.peers.naive.worker"), PROJECT),
    resumes=Resumes.BY_CHUNK,
    stored="a Redis list",
    websocket=True,
    replays_ended=True,
)
FASTAPI_RESUMABLE_STREAM = Peer(
    "fastapi-resumable-stream",
    web=_with_own_python("fastapi_resumable_stream"),
    resumes=Resumes.BY_CHUNK,
    stored="a Redis list",
    replays_ended=True,
    install=partial(environments.install_python, "fastapi_resumable_stream"),
)
ASSISTANT_STREAM = Peer(
    "assistant-stream",
    web=_with_own_python("assistant_stream"),
    resumes=Resumes.FROM_THE_START,
    stored="a Redis stream",
    replays_ended=True,
    install=partial(environments.install_python, "assistant_stream"),
)
RESUMABLE_STREAM = Peer(
    "resumable-stream",
    web=_with_own_node("resumable_stream"),
    resumes=Resumes.BY_CHARACTER,
    stored="the web process",
    install=partial(environments.install_node, "resumable_stream"),
)
DIRECT = Peer(
    "direct",
    web=Program((*GUNICORN, "benchmarks.peers.direct.web:app"), PROJECT),
    resumes=Resumes.NEVER,
    stored="nowhere",
)

OF_OUR_OWN = (NAIVE, DIRECT)  # nothing to install
PEERS = (NAIVE, FASTAPI_RESUMABLE_STREAM, ASSISTANT_STREAM, RESUMABLE_STREAM, DIRECT)
