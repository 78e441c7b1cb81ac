"""What the threat model says that a test shows is shown by a test that there is."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
MODEL = (PROJECT / "docs" / "threat-model.md").read_text()
ROW = re.compile(r"^\| (?!who wants|---)(.+?) \|(?: .+ )\| (.+) \|$", re.MULTILINE)


def functions_of(path: Path) -> set[str]:
    return {each.name for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef)}


def test_every_threat_has_its_test() -> None:
    rows = ROW.findall(MODEL)
    assert len(rows) > 30
    for threat, shown_by in rows:
        named = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown_by)
        assert named, threat
        assert named[2] in functions_of(PROJECT / named[1]), f"{threat}: there is no {shown_by}"
