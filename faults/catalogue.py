"""All faults there are: each with its name, what a viewer sees of it, and what the operator finds in the log."""

from collections.abc import Callable
from dataclasses import dataclass

from faults.run import Run, Scenario


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the stack."""

    family: str
    name: str
    viewer: str
    """What whoever watches sees, in a sentence."""
    operator: str
    """What is in the log, in a few words."""
    scenario: Scenario
    long: bool
    """Whether it takes minutes."""
    often: bool
    """Whether it is among those that are injected with every run of the tests."""
    replaces: bool
    """Whether no web process lives through it, so that what they hold has to be looked at before."""
    in_cluster: bool = False
    """Whether streams have to be in a cluster for it."""

    @property
    def needs_one_redis(self) -> bool:
        """Whether it is a fault of the one Redis that has streams and queue."""
        return self.family in {"redis server", "notifications", "mixed"}

    @property
    def is_logged(self) -> bool:
        """Whether the operator finds something, which its scenario then has to look for."""
        return not self.operator.startswith("nothing")


CATALOGUE: list[Fault] = []


def fault(
    name: str,
    *,
    viewer: str,
    operator: str,
    long: bool = False,
    often: bool = False,
    replaces: bool = False,
    in_cluster: bool = False,
) -> Callable[[Scenario], Scenario]:
    """Add a scenario to the catalogue."""

    def add(scenario: Callable[[Run], None]) -> Scenario:
        family = scenario.__module__.rpartition(".")[2].replace("_", " ")
        CATALOGUE.append(Fault(family, name, viewer, operator, scenario, long, often, replaces, in_cluster))
        return scenario

    return add
