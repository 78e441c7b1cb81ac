"""A peer, as a system that is measured (see benchmarks/peers)."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from benchmarks.peers.peer import Peer
from benchmarks.peers.running import RunningPeer, running
from benchmarks.stage import Stage


class Theirs:
    """See benchmarks.stage.System."""

    is_socket = False

    def __init__(self, peer: RunningPeer) -> None:
        self.name = peer.peer.name
        self.port = peer.port
        self._peer = peer
        self._prompts: dict[str, str] = {}

    @property
    def web(self) -> list[psutil.Process]:
        """Where the model is asked too, if there are no workers."""
        return self._peer.web_processes()

    @property
    def workers(self) -> list[psutil.Process]:
        """Of naive's: one that forks, and those that it has forked."""
        return self._peer.worker_processes()

    def prepare(self) -> None:
        """Nothing."""

    def begin(self, prompt: str) -> str:
        """For the peer that is not followed, the model is asked when somebody follows."""
        stream = secrets.token_hex(8)
        if self._peer.peer.is_followed:
            self._peer.begin(stream, prompt)
        else:
            self._prompts[stream] = prompt
        return stream

    def openings(self, stream: str) -> list[bytes]:
        """See benchmarks.peers.peer.Peer."""
        return self._peer.peer.openings(stream, content=self._prompts.get(stream, ""))

    def check(self, streams: Sequence[str], words: int) -> None:
        """None of them keeps answers longer than Redis does."""


@contextmanager
def running_theirs(stage: Stage, peer: Peer, *, workers: int = 1) -> Iterator[Theirs]:
    """A peer on this stage for the length of the block. `workers`: of those that do one job at a time, so many."""
    redis_url, model_url = stage.redis_server.url, stage.model.base_url
    with running(peer, redis_url=redis_url, model_url=model_url, folder=stage.folder, workers=workers) as started:
        yield Theirs(started)
