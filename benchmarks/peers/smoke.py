"""Whether a peer does what its description says: every word once and in order, for whoever is there or comes late."""

import json
import secrets
from pathlib import Path

from benchmarks.peers.floor import running_floor
from benchmarks.peers.peer import Peer, Resumes
from benchmarks.peers.running import RunningPeer, running
from benchmarks.peers.viewer import WORD, Viewer
from tests.support.scripted_model import ScriptedModel

WORDS = 50
HALF = 25  # words that have been said when the late ones come
SEEN = 10  # words that one of them has already
PAYLOAD = 40  # bytes


def check(peer: Peer, redis_url: str, model: ScriptedModel, folder: Path) -> str:
    """Start the peer, follow one stream with several viewers, and say in a line what they saw.

    Raises AssertionError where a word is missing, doubled or moved, and TimeoutError where it does not come.
    """
    with running(peer, redis_url=redis_url, model_url=model.base_url, folder=folder) as started:
        assert started.web_processes()
        assert bool(started.worker_processes()) == bool(peer.worker)
        return _follow(started, model) if peer.is_followed else _ask(started)


def check_floor() -> str:
    """The same for the floor."""
    with running_floor(3) as floor:
        viewers = [Viewer(floor.port) for _ in range(3)]
        floor.wait_for("accepted")
        floor.answer(PAYLOAD, WORDS, 0.001)
        floor.close()
        _all_have(viewers, range(WORDS))
    return f"{len(viewers)} viewers have all {WORDS} words"


def _follow(started: RunningPeer, model: ScriptedModel) -> str:
    peer, stream = started.peer, secrets.token_hex(8)
    started.begin(stream, json.dumps({"deltas": [WORD], "repeat": WORDS, "gate": stream}))
    viewers = [Viewer(started.port, peer.openings(stream)) for _ in range(2)]
    model.release(stream, HALF)
    for viewer in viewers:
        viewer.wait_for(HALF)
    viewers.append(Viewer(started.port, peer.openings(stream)))
    viewers[-1].wait_for(HALF)
    says = f"{len(viewers)} viewers, one of them late, have all {WORDS} words"
    resumed = []
    if position := peer.position(viewers[0].words[:SEEN]):
        resumed.append(Viewer(started.port, peer.openings(stream, position)))
        resumed[-1].wait_for(HALF - SEEN)
        says += f"; one that resumed at word {SEEN} has the others"
    model.release(stream, WORDS - HALF)
    _all_have(viewers, range(WORDS))
    _all_have(resumed, range(SEEN, WORDS))
    if peer.replays_ended:
        _all_have([Viewer(started.port, peer.openings(stream))], range(WORDS))
        says += "; one that came after the end has all"
    return says


def _ask(started: RunningPeer) -> str:
    """A peer that cannot be followed: each viewer has an answer of its own."""
    assert started.peer.resumes is Resumes.NEVER
    content = json.dumps({"deltas": [WORD], "repeat": WORDS, "pace": 0.001})
    viewers = [Viewer(started.port, started.peer.openings(f"{number}", content=content)) for number in range(3)]
    _all_have(viewers, range(WORDS))
    return f"{len(viewers)} viewers have all {WORDS} words of an answer of their own"


def _all_have(viewers: list[Viewer], expected: range) -> None:
    for viewer in viewers:
        viewer.wait_for_end()
        assert viewer.numbers == list(expected), f"instead of {expected}: {viewer.numbers}"
