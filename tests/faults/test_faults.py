"""Some of the faults, each once, small, and the same each time; `make faults` injects all, at full size."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import faults.families  # noqa: F401  fills the catalogue
from faults.catalogue import CATALOGUE, Fault
from faults.leftovers import held_by, leftovers
from faults.stack import Stack, running_stack
from faults.suite import inject

SEED = 4
SCALE = 0.1


def name_of(fault: Fault) -> str:
    return f"{fault.family}: {fault.name}"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        new = held_by(stack)
        yield stack
        assert leftovers(stack, new) == [], "nothing is left behind by those who have gone"


@pytest.mark.parametrize("fault", [fault for fault in CATALOGUE if fault.often and fault.in_cluster], ids=name_of)
def test_nothing_is_lost_in_a_cluster_when(tmp_path: Path, fault: Fault) -> None:
    with running_stack(tmp_path, in_cluster=True) as stack:
        new = held_by(stack)
        assert inject(fault, stack, SEED, SCALE).verdict.complaints == []
        assert leftovers(stack, new) == []


@pytest.mark.parametrize("fault", [fault for fault in CATALOGUE if fault.often and not fault.in_cluster], ids=name_of)
def test_nothing_is_lost_when(stack: Stack, fault: Fault) -> None:
    row = inject(fault, stack, SEED, SCALE)
    assert row.verdict.complaints == []


def test_every_fault_has_a_name_of_its_own_and_says_what_one_sees_of_it() -> None:
    names = [(fault.family, fault.name) for fault in CATALOGUE]
    assert len(set(names)) == len(names) > 40
    assert all(fault.viewer and fault.operator for fault in CATALOGUE)
