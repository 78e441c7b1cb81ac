"""The answers that are being written, seen and stopped from a terminal: with a real worker, and without one."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from streams import Kind, StreamSettings, StreamWriters
from tests.support.command import Ended, rejoinder
from tests.support.scripted_model import Json
from tests.workers.bench import Bench, running_bench

WAITS: Json = {"deltas": ["Once", " upon", {"wait": "never"}]}
PAINTED = "\x1b[31mred\x1b]0;title\x07\r\x9b2J"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture(autouse=True)
def nothing_in_flight(bench: Bench) -> None:
    bench.redis.flushall()


def streams(bench: Bench, *arguments: str, **others: str) -> Ended:
    """With what it needs, which is neither a key nor a secret."""
    environment = {"REDIS_URL": bench.redis_server.url, "DATABASE_URL": bench.database_url, **others}
    return rejoinder("streams", *arguments, environment=environment)


def test_where_nothing_is_written_that_is_said(bench: Bench) -> None:
    ended = streams(bench)
    assert (ended.returncode, ended.stdout) == (0, b"Nothing is being written.\n")
    assert json.loads(streams(bench, "--json").stdout) == []


def test_what_is_written_is_listed_shown_without_its_text_and_stopped(bench: Bench) -> None:
    with bench.worker():
        stream_id = bench.send(WAITS, model="a-model")
        bench.wait_for_text(stream_id, "Once upon")
        [listed] = json.loads(streams(bench, "--json").stdout)
        assert (listed["stream_id"], listed["state"], listed["model"]) == (stream_id, "running", "a-model")
        assert listed["conversation"] == bench.message(stream_id).conversation_id
        header, row = streams(bench).stdout.decode().splitlines()
        assert header.split()[:3] == ["STREAM", "STATE", "AGE"]
        assert row.split()[:2] == [stream_id, "running"]

        shown = streams(bench, "show", stream_id[:9])
        assert shown.returncode == 0
        assert b"a-model" in shown.stdout
        assert b"Once" not in shown.stdout
        assert b"Once upon" in streams(bench, "show", stream_id, "--text").stdout

        stopped = streams(bench, "stop", stream_id)
        assert (stopped.returncode, stopped.stderr) == (0, b"")
        assert f"{stream_id} has ended as cancelled".encode() in stopped.stdout
        assert bench.wait_saved(stream_id).content == "Once upon"
        assert b"had ended before, as cancelled" in streams(bench, "stop", stream_id).stdout


def test_one_that_no_worker_has_taken_ends_at_once(bench: Bench) -> None:
    stream_id = bench.send()
    assert b"has ended as cancelled (Stopped before the answer began.)" in streams(bench, "stop", stream_id).stdout


def test_one_whose_worker_does_not_listen_is_told_after_a_while(bench: Bench) -> None:
    writers = StreamWriters(bench.redis, StreamSettings(lease=60.0))  # never started, so it hears nothing
    with writers.open("st_deaf"):
        ended = streams(bench, "stop", "st_deaf")
        assert ended.returncode == 1
        assert b"its worker was asked, and has not ended it" in ended.stderr
        assert b"to stop" in streams(bench).stdout


def test_what_is_not_there_is_exit_code_4(bench: Bench) -> None:
    for arguments in (["stop", "st_none"], ["show", "st_none"]):
        ended = streams(bench, *arguments)
        assert ended.returncode == 4
        assert b"no such stream" in ended.stdout + ended.stderr


def test_the_beginning_of_an_id_must_say_which(bench: Bench) -> None:
    bench.control.announce("st_1a")
    bench.control.announce("st_1b")
    ended = streams(bench, "show", "st_1")
    assert (ended.returncode, b"2 streams begin with st_1" in ended.stderr) == (1, True)


def test_a_text_cannot_speak_to_the_terminal(bench: Bench) -> None:
    with closing(StreamWriters(bench.redis, StreamSettings(lease=60.0))) as writers:
        writers.start()
        with writers.open("st_x") as writer:
            writer.append(Kind.TEXT, PAINTED)
            assert writer.wait_stored(60)
            shown = streams(bench, "show", "st_x", "--text").stdout.decode()
            raw = json.loads(streams(bench, "show", "st_x", "--text", "--json").stdout)["text"]
    assert "␛[31mred␛]0;title␇␍\ufffd2J" in shown
    assert raw == PAINTED  # escaped, by JSON


def test_without_a_database_streams_are_listed_all_the_same(bench: Bench) -> None:
    bench.control.announce("st_1")
    ended = streams(bench, DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert ended.returncode == 0
    assert b"st_1" in ended.stdout
    assert b"The database does not answer" in ended.stderr


def test_without_redis_there_is_a_sentence_and_no_traceback(bench: Bench) -> None:
    ended = streams(bench, REDIS_URL="redis://127.0.0.1:1/0")
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"Error: Redis: ")
    assert b"Traceback" not in ended.stderr


def test_settings_that_are_wrong_are_all_told(bench: Bench) -> None:
    ended = streams(bench, REDIS_URL="http://here", STREAM_LEASE="soon")
    assert ended.returncode == 1
    assert b"REDIS_URL is not right; expected redis://host:port/db" in ended.stderr
    assert b"STREAM_LEASE" in ended.stderr
