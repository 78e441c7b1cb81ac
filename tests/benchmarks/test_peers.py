"""The peers that need nothing from outside do what their descriptions say. `python -m benchmarks.peers` tries all."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers.catalogue import DIRECT, NAIVE, OF_OUR_OWN
from benchmarks.peers.peer import Peer, Program
from benchmarks.peers.running import running
from benchmarks.peers.smoke import check, check_floor
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model


@pytest.mark.parametrize("peer", OF_OUR_OWN, ids=lambda peer: peer.name)
def test_every_viewer_gets_every_word_once_and_in_order(peer: Peer, tmp_path: Path) -> None:
    with running_redis() as redis, running_scripted_model() as model:
        check(peer, redis.url, model, tmp_path)


def test_the_floor_writes_every_word_to_everyone() -> None:
    check_floor()


def test_several_workers_run_as_one_peer(tmp_path: Path) -> None:
    with (
        running_redis() as redis,
        running(NAIVE, redis_url=redis.url, model_url="", folder=tmp_path, workers=2) as peer,
    ):
        _pool, *others = peer.worker_processes()
        assert len(others) >= 2  # RQ may add a scheduler


def test_a_peer_that_ends_instead_of_starting_says_why(tmp_path: Path) -> None:
    broken = replace(DIRECT, web=Program((*DIRECT.web.command, "--no-such-option"), DIRECT.web.folder))
    with (
        pytest.raises(RuntimeError, match="no-such-option"),
        running(broken, redis_url="", model_url="http://127.0.0.1:1", folder=tmp_path),
    ):
        pass
