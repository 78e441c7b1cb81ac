"""What docs/operations.md tells of is what there is."""

import re
from pathlib import Path

from webapp.metrics import EXPOSITION as WEB
from workers.metrics import EXPOSITION as WORKER

PROJECT = Path(__file__).parents[1]
DOC = (PROJECT / "docs" / "operations.md").read_text()
PAGE = PROJECT / "frontend" / "src" / "operations"


def test_every_count_on_the_page_is_explained() -> None:
    shown = re.findall(r"\{\s*name: '([^']+)',\s*counter:", (PAGE / "counts.tsx").read_text())
    assert len(shown) == 18
    sent = {"Begun to follow", "Sent", "Generations begun"}  # nothing to do about these
    explained = re.findall(r"\*\*([^*]+)\*\*", DOC)
    assert set(shown) - sent <= set(explained)


def test_every_count_on_the_page_is_one_that_processes_tell() -> None:
    counters = set(re.findall(r"counter: '([^']+)'", (PAGE / "counts.tsx").read_text()))
    exported = {
        re.sub(r"^rejoinder_|_total$|\{.*", "", name).removesuffix("_total")
        for exposition in (WEB, WORKER)
        for name in exposition.snapshot()
    }
    seldom = {"socket_refusals"}  # it has labels that are not known before
    assert counters - {"http_limited"} <= exported | seldom


def test_every_metric_in_its_alarms_is_exported() -> None:
    names = set(re.findall(r"\brejoinder_[a-z_]+", DOC))
    exported = {each.partition("{")[0] for exposition in (WEB, WORKER) for each in exposition.snapshot()}
    assert names
    assert {re.sub("_bucket$", "_count", name) for name in names} <= exported
