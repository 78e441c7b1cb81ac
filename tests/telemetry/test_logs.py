"""A line of the log: its shape, what it knows, and what it does not say."""

import io
import json
import logging
import unicodedata
from collections.abc import Callable, Iterator

import pytest

from telemetry import context
from telemetry.logs import formatter, init_logs, transcript
from telemetry.redaction import digest, keep_secret
from telemetry.settings import LogSettings
from tests.support import hostile

SHARE = "Zm9vYmFyYmF6cXV4MTIzNA"


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    context.forget()
    yield
    context.forget()


@pytest.fixture
def logging_to() -> Iterator[Callable[[LogSettings], io.StringIO]]:
    """Logs like a process with these settings; afterwards as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def begin(settings: LogSettings) -> io.StringIO:
        output = io.StringIO()
        root.handlers = []
        init_logs(settings, output)
        return output

    yield begin
    root.handlers = handlers
    root.setLevel(level)
    transcript.disabled = True


def line(message: str, shape: str = "text", /, **facts: object) -> str:
    record = logging.makeLogRecord({"name": "a.b", "msg": message, "levelname": "WARNING", **facts})
    return formatter(shape).format(record)


def as_json(message: str, **facts: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(line(message, "json", **facts))
    del found["timestamp"]
    return found


def test_in_text_the_event_comes_first_and_its_facts_follow() -> None:
    assert line("stream vanished", stream_id="st_1").endswith("] a.b: stream vanished stream_id=st_1")


def test_in_json_every_fact_has_its_name_and_numbers_stay_numbers() -> None:
    facts = {"stream_id": "st_1", "lost": 3, "reason": None}
    assert as_json("gone", **facts) == {"event": "gone", "level": "warning", "logger": "a.b", **facts}


def test_an_event_of_several_lines_has_its_facts_in_the_first() -> None:
    first, *rest = line("not saved: no such table\n[SQL: …]", stream_id="s").split("\n")
    assert first.endswith("a.b: not saved: no such table stream_id=s")
    assert rest == ["  [SQL: …]"]


def test_a_traceback_is_part_of_its_line_in_json_and_follows_it_in_text() -> None:
    try:
        raise ZeroDivisionError("none of that")
    except ZeroDivisionError as error:
        told = {"exc_info": (type(error), error, error.__traceback__)}
    assert str(as_json("broke", **told)["exception"]).endswith("ZeroDivisionError: none of that")
    first, second, *_ = line("broke", stream_id="s", **told).split("\n")
    assert first.endswith("broke stream_id=s")
    assert second.startswith("  Traceback")


@pytest.mark.parametrize("words", hostile.ALL.values(), ids=hostile.ALL)
@pytest.mark.parametrize("shape", ["text", "json"])
def test_whatever_others_wrote_no_terminal_obeys_it_and_no_line_looks_like_another_event(
    words: str, shape: str
) -> None:
    try:
        raise ValueError(words)
    except ValueError as error:
        told = {"exc_info": (type(error), error, error.__traceback__)}
    said = line(f"refused: {words}", shape, reason=words, **told)
    first, *rest = said.split("\n")
    assert not [each for each in said if unicodedata.category(each) == "Cc" and each not in "\n\t"]
    assert not set(said) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    assert all(each.startswith("  ") or not each.strip() for each in rest)
    if shape == "json":
        assert not rest
        assert json.loads(first)["reason"] == words


def test_every_line_of_a_request_has_its_id_and_what_is_known() -> None:
    context.begin_request("12345678-abcd")
    context.know(conversation_id="c1")
    assert as_json("sent") == {
        "event": "sent",
        "level": "warning",
        "logger": "a.b",
        "request_id": "12345678-abcd",
        "conversation_id": "c1",
    }
    context.begin_request(None)
    assert "conversation_id" not in as_json("another request")


@pytest.mark.parametrize("given", [None, "", "short", "x" * 129, "two words", "a\nforged line", "é" * 8])
def test_an_id_that_is_not_well_formed_is_replaced(given: str | None) -> None:
    made = context.begin_request(given)
    assert made != given
    assert context.WELL_FORMED.fullmatch(made)
    assert context.request_id() == made


def test_what_travels_with_a_job_is_known_where_it_is_unpacked_and_only_there() -> None:
    context.begin_request("12345678-abcd")
    context.know(conversation_id="c1234567", share="a digest")
    luggage = context.luggage()
    assert luggage == {"request_id": "12345678-abcd", "conversation_id": "c1234567"}
    context.forget()
    with context.unpacked(luggage):
        assert context.luggage() == luggage
    assert context.luggage() == {}


@pytest.mark.parametrize("meta", [{}, {"request_id": 7, "conversation_id": ["x"]}, {"request_id": "a\nforged line"}])
def test_luggage_of_an_older_version_or_of_somebody_else_is_left(meta: dict[str, object]) -> None:
    with context.unpacked(meta):
        assert context.luggage() == {}


@pytest.mark.parametrize(
    "words",
    [
        f"GET /s/{SHARE}",
        f"Error handling request /api/shares/{SHARE}/messages",
        f"/api/socket?share={SHARE}&x=1",
        f"no share '{SHARE}'",
    ],
)
def test_a_share_id_in_an_address_is_never_in_a_line(words: str) -> None:
    for told in (line(words), line("x", path=words), line(words, "json"), line("x", "json", path=words)):
        assert SHARE not in told
        assert digest(SHARE) in told


def test_the_share_of_a_request_is_hidden_wherever_it_stands() -> None:
    keep_secret(SHARE)
    told = line("x", "json", frame={"conversation": SHARE})
    assert SHARE not in told
    assert digest(SHARE) in told


def test_a_level_holds_for_libraries_too(logging_to: Callable[[LogSettings], io.StringIO]) -> None:
    output = logging_to(LogSettings(level="ERROR"))
    logging.getLogger("rq.worker").warning("not this")
    logging.getLogger("rq.worker").error("but this")
    assert [json.loads(each)["event"] for each in output.getvalue().splitlines()] == ["but this"]


@pytest.mark.parametrize("on", [False, True])
def test_the_transcript_is_silent_unless_it_was_switched_on(
    logging_to: Callable[[LogSettings], io.StringIO], on: bool
) -> None:
    output = logging_to(LogSettings(conversations=on))
    transcript.info("asked", extra={"messages": "my secret question"})
    assert ("my secret question" in output.getvalue()) is on


def test_what_is_no_terminal_gets_json(logging_to: Callable[[LogSettings], io.StringIO]) -> None:
    output = logging_to(LogSettings())
    logging.getLogger("x").info("hello")
    assert json.loads(output.getvalue())["event"] == "hello"


def test_the_environment_decides_and_a_wrong_value_is_named() -> None:
    assert LogSettings.from_env({"LOG_LEVEL": "", "LOG_FORMAT": ""}) == LogSettings()
    given = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "text", "LOG_CONVERSATIONS": "1"}
    assert LogSettings.from_env(given) == LogSettings("DEBUG", "text", conversations=True)
    with pytest.raises(ValueError, match="LOG_LEVEL='loud': expected DEBUG, INFO, WARNING or ERROR"):
        LogSettings.from_env({"LOG_LEVEL": "loud"})
    with pytest.raises(ValueError, match="LOG_FORMAT='xml': expected json or text"):
        LogSettings.from_env({"LOG_FORMAT": "xml"})
