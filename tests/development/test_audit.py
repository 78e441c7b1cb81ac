"""What is made of what the auditors say."""

import json

import pytest

from development.audit import npm_holes, python_holes, report

HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0", "1.9.1"], "aliases": [], "description": ""}
WITH_HOLE = {"name": "flask", "version": "1.0", "vulns": [HOLE]}
WITHOUT = {"name": "redis", "version": "8.1", "vulns": []}
PASSED_OVER = {"name": "gevent", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def audited(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_holes_are_told_with_the_versions_that_mend_them() -> None:
    expected = ["flask 1.0: PYSEC-2026-1, mended in 2.0, 1.9.1"]
    assert python_holes(audited(WITH_HOLE, WITHOUT)) == expected
    assert python_holes(audited(WITH_HOLE, PASSED_OVER)) == expected
    assert npm_holes(json.dumps({"vulnerabilities": {"marked": {"severity": "high", "range": "<4"}}})) == [
        "marked: high, in <4"
    ]


def test_nothing_found_is_not_the_same_as_nothing_known() -> None:
    assert python_holes(audited(WITHOUT)) == []
    assert npm_holes(json.dumps({"vulnerabilities": {}})) == []
    for nothing in ("", "Connection refused", audited(WITHOUT, PASSED_OVER), json.dumps({"message": "405"})):
        assert python_holes(nothing) is None
    assert npm_holes(json.dumps({"message": "405 Method Not Allowed"})) is None


def test_only_a_hole_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert not report("requirements.txt", None)
    assert not report("requirements.txt", [])
    assert report("requirements.txt", ["flask 1.0: PYSEC-2026-1, mended in 2.0"])
    said = capsys.readouterr().out
    assert "not known" in said
    assert "no known holes" in said
