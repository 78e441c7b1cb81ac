"""A thing is made again when what it was made from has changed, and only then."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from development.checkout import STATE, Stamp


@pytest.fixture
def source() -> Iterator[Path]:
    """A file inside the checkout, as a stamp's sources are."""
    STATE.mkdir(exist_ok=True)
    file = STATE / f"source-{os.getpid()}"
    file.write_text("one")
    yield file
    file.unlink()


def test_a_stamp_holds_until_the_contents_change(tmp_path: Path, source: Path) -> None:
    stamp = tmp_path / "made" / "stamp"
    assert not Stamp(stamp, [source]).is_current()
    Stamp(stamp, [source]).set()
    assert Stamp(stamp, [source]).is_current()
    os.utime(source, (0, 0))  # as a checkout does
    assert Stamp(stamp, [source]).is_current()
    source.write_text("two")
    assert not Stamp(stamp, [source]).is_current()
