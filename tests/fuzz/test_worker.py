"""A real worker, and models that do everything wrong at once: every answer ends in words and is saved; others go on."""

import gzip
import json
from collections.abc import Iterator

import pytest

from conversations import Status
from streams import Outcome
from tests.support.scripted_model import Json
from tests.workers.bench import Bench, running_bench

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


def response(head: str, body: bytes = b"") -> Json:
    return {"verbatim": f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{body.decode('latin-1')}"}


ANSWER = b'data: {"choices": [{"delta": {"content": "Packed"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
WHOLE = json.dumps({"choices": [{"message": {"content": "Packed"}, "finish_reason": "stop"}]}).encode()

GOOD: list[tuple[Json, str]] = [
    ({"deltas": ["x" * 5_000_000]}, "x" * 5_000_000),
    ({"deltas": [{"raw": "data: {}\n\n" * 50_000}, "So"]}, "So"),
    (
        {"deltas": [{"delta": {"content": "nul\0"}}, {"delta": {"content": "\ud83d"}}, "\ude00"]},
        "nul\ufffd\N{GRINNING FACE}",
    ),
    ({"deltas": ["So", {"raw": 'data: {"choices": [], "usage": {"a": NaN, "b": 1e999, "c": -1}}\n\n'}]}, "So"),
    ({"deltas": [{"raw": 'data: {"choices": [{"delta": {"content": "no", "content": "So"}}]}\n\n'}]}, "So"),
    (response("200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream", gzip.compress(ANSWER)), "Packed"),
    (response("200 OK\r\nContent-Type: application/json", WHOLE), "Packed"),
    (response("200 OK", ANSWER), "Packed"),
]
BAD: list[Json] = [
    {"deltas": [{"raw": "x" * 1_000_000}], "repeat": 20},
    {"deltas": [{"raw": "data: " + "[" * 100_000 + "\n\n"}]},
    {"deltas": [{"raw": 'data: {"choices": [{"delta": {"content": ' + "9" * 5000 + "}}]}\n\n"}]},
    {"deltas": [{"error": "\ud800 nul\0 <b>"}]},
    {"deltas": [{"error": [["x"] * 1000] * 100}]},
    {"deltas": [{"bytes": "\x00\xff\xfe"}, {"eof": True}]},
    {"status": 400, "error": {"message": {"deep": ["\ud800"]}, "code": ["x"], "type": 5}},
    {"status": 418, "error": "plain"},
    {"status": 599, "error": None},
    response("204 No Content"),
    response("200 OK\r\nContent-Encoding: gzip", b"this is no gzip"),
    response("200 OK\r\nContent-Type: text/html", b"<!doctype html><title>Welcome to nginx!</title>"),
    response("307 Temporary Redirect\r\nLocation: http://["),
    response("302 Found\r\nLocation: /nowhere"),
    response("304 Not Modified"),
    response("999 What"),
    {"verbatim": ""},
    {"verbatim": "SSH-2.0-OpenSSH_9.6\r\n"},
]


def test_every_answer_ends_in_words_whatever_the_model_does(bench: Bench) -> None:
    with bench.worker(MODEL_ATTEMPTS="1") as worker:
        sent = {}
        for number, script in enumerate([script for script, _ in GOOD] + BAD):
            bench.model.script(script)
            sent[bench.send(content=f"Question {number}")] = number
        texts = sorted(text for _, text in GOOD)
        finished = []
        for stream_id in sent:
            end = bench.wait_ended(stream_id).end
            assert end is not None
            message = bench.wait_saved(stream_id)
            assert message.status is Status(end.outcome)
            if end.outcome is Outcome.FINISHED:
                finished.append(message.content)
            else:
                assert end.outcome is Outcome.FAILED
                assert end.reason
                assert len(end.reason) < 500
                assert "in this server" not in end.reason, "it is not our fault"
        assert sorted(finished) == texts
        assert "generation broke" not in worker.log
        last = bench.send({"deltas": ["Still here"]})
        assert bench.wait_ended(last).text == "Still here"
