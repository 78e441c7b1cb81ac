"""A line of the log."""

import logging

import pytest

import workers.logs
from webapp.logs import FactsFormatter


def test_a_line_shows_the_event_and_its_facts() -> None:
    record = logging.makeLogRecord(
        {"msg": "stream %s", "args": ("vanished",), "levelname": "WARNING", "stream_id": "st_1"}
    )
    assert FactsFormatter("%(levelname)s %(message)s").format(record) == "WARNING stream vanished stream_id=st_1"


def test_a_line_without_facts_is_only_the_event() -> None:
    record = logging.makeLogRecord({"msg": "started", "levelname": "INFO"})
    assert FactsFormatter("%(levelname)s %(message)s").format(record) == "INFO started"


@pytest.mark.parametrize("formatter", [FactsFormatter, workers.logs.FactsFormatter])
def test_an_event_of_several_lines_has_its_facts_in_the_first(formatter: type[logging.Formatter]) -> None:
    record = logging.makeLogRecord({"msg": "not saved: no such table\n[SQL: …]", "levelname": "INFO", "stream_id": "s"})
    assert formatter("%(message)s").format(record) == "not saved: no such table stream_id=s\n[SQL: …]"
