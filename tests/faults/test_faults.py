"""Some of the faults, each once, small, and the same each time; `make faults` injects all, at full size."""

from collections.abc import Iterator

import pytest

import faults.families  # noqa: F401  fills the catalogue
from faults.catalogue import CATALOGUE, Fault
from faults.leftovers import Held, held_by, leftovers
from faults.stack import Stack, running_stack
from faults.suite import inject
from tests.support.web_process import WebProcess

SEED = 4
SCALE = 0.1

Before = dict[WebProcess, Held]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Before]]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack, {web: held_by(web) for web in stack.webs}


@pytest.mark.parametrize(
    "fault", [fault for fault in CATALOGUE if fault.often], ids=lambda fault: f"{fault.family}: {fault.name}"
)
def test_nothing_is_lost_when(running: tuple[Stack, Before], fault: Fault) -> None:
    row = inject(fault, running[0], SEED, SCALE)
    assert row.verdict.complaints == []
    assert row.times > 0, "something was really broken"


def test_nothing_is_left_behind_by_those_who_have_gone(running: tuple[Stack, Before]) -> None:
    assert leftovers(*running) == []


def test_every_fault_has_a_name_of_its_own_and_says_what_one_sees_of_it() -> None:
    names = [(fault.family, fault.name) for fault in CATALOGUE]
    assert len(set(names)) == len(names) > 40
    assert all(fault.viewer and fault.operator for fault in CATALOGUE)
