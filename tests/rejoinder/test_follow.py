"""An answer in the terminal: the same bytes as the model's, whatever happens to the connection on the way."""

import json
import re
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import redis

from tests.rejoinder.conftest import Stack
from tests.support.command import Running
from tests.support.ports import free_port
from tests.support.serving import serving
from tests.support.tcp_proxy import running_proxy
from tests.support.visitor import Answer, Visitor
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker
from tests.support.writing import die

PAINTED = "\x1b[31mred\x1b]0;title\x07\r\x9b2J\u202eevil"
PARTS = [f"part {number}: Größe, 字, 🙂\n" for number in range(12)]


@pytest.fixture
def gate() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def ada(stack: Stack) -> Visitor:
    return stack.visitor()


def stream_url(stack: Stack, answer: Answer) -> str:
    return f"{stack.line.url}/api/streams/{answer.stream}"


def follow(stack: Stack, ada: Visitor, url: str, *others: str) -> Running:
    return stack.run("follow", url, "--cookie", ada.cookie, *others)


def resuming(ada: Visitor, answer: Answer) -> str:
    """What is said where the connection is lost after all that there is: mostly one chunk, but notes count too."""
    return f"Connection lost, resuming from {ada.read(answer.stream)['stop']}."


def test_a_finished_stream_is_printed_byte_for_byte(stack: Stack, ada: Visitor) -> None:
    answer = ada.ask("a tale", {"deltas": PARTS})
    answer.wait(60)
    with follow(stack, ada, stream_url(stack, answer)) as running:
        assert running.wait() == 0
        assert running.out.decode() == "".join(PARTS)
        assert running.err == ""


def test_connections_that_are_cut_again_and_again_cost_no_byte_and_repeat_none(
    stack: Stack, ada: Visitor, gate: str
) -> None:
    answer = ada.ask("a tale", {"deltas": PARTS, "gate": gate})
    with follow(stack, ada, stream_url(stack, answer)) as running:
        for part in PARTS[:-1]:
            stack.model.release(gate)
            running.wait_for(out=part.encode())
            stack.line.cut()
            running.wait_for(err=resuming(ada, answer))
            stack.line.heal()
        stack.model.release(gate)
        assert running.wait() == 0
        assert running.out.decode() == "".join(PARTS)


def test_cuts_at_any_byte_of_a_long_answer_cost_none(stack: Stack, ada: Visitor) -> None:
    answer = ada.ask("a long tale", {"deltas": ["word {i}, "], "repeat": 600, "pace": 0.01})
    with follow(stack, ada, stream_url(stack, answer)) as running:
        cuts = 0
        while running.process.poll() is None:
            running.wait_for_more()
            stack.line.cut()
            stack.line.heal()
            cuts += 1
        assert running.wait() == 0
        assert running.out.decode() == "".join(f"word {number}, " for number in range(600))
        assert cuts > 1


def test_what_is_written_while_there_is_no_connection_is_not_missed(stack: Stack, ada: Visitor, gate: str) -> None:
    answer = ada.ask("a tale", {"deltas": ["Once", {"wait": gate}, " upon", " a time"]})
    with follow(stack, ada, stream_url(stack, answer)) as running:
        running.wait_for(out=b"Once")
        stack.line.cut()
        running.wait_for(err="Connection lost")
        stack.model.release(gate)
        answer.wait(60)
        stack.line.heal()
        assert running.wait() == 0
        assert running.out == b"Once upon a time"


def test_a_line_that_swallows_everything_is_noticed_by_its_silence(stack: Stack, ada: Visitor, gate: str) -> None:
    answer = ada.ask("a tale", {"deltas": ["Once", {"wait": gate}, " upon"]})
    with follow(stack, ada, stream_url(stack, answer)) as running:
        running.wait_for(out=b"Once")
        stack.line.freeze()
        running.wait_for(err=resuming(ada, answer))
        stack.line.heal()
        stack.model.release(gate)
        assert running.wait() == 0
        assert running.out == b"Once upon"


@pytest.mark.parametrize("how", ["killed", "told to leave"])
def test_a_web_process_that_leaves_is_followed_by_another(stack: Stack, ada: Visitor, gate: str, how: str) -> None:
    script = {"deltas": ["Once", {"wait": gate}, " upon", {"wait": gate}, " a time"]}
    answer = ada.ask("a tale", script)
    with (
        running_web(
            redis_url=stack.brought["REDIS_URL"],
            database_url=stack.brought["DATABASE_URL"],
            log=stack.folder / f"first, {how}.log",
        ) as first,
        running_proxy(first.port) as line,
        follow(stack, ada, f"{line.url}/api/streams/{answer.stream}") as running,
    ):
        running.wait_for(out=b"Once")
        line.serve(stack.web.port)
        first.kill() if how == "killed" else first.terminate()
        running.wait_for(err=resuming(ada, answer))
        stack.model.release(gate)
        running.wait_for(out=b"Once upon")
        stack.model.release(gate)
        assert running.wait() == 0
        assert running.out == b"Once upon a time"


def test_who_waits_while_no_worker_is_there_is_told_so_and_when_one_has_come(stack: Stack, gate: str) -> None:
    deserted = {**stack.brought, "RQ_QUEUE": "deserted"}
    with running_web(
        redis_url=stack.brought["REDIS_URL"],
        database_url=stack.brought["DATABASE_URL"],
        log=stack.folder / "deserted.log",
        environment=deserted,
    ) as web:
        ada = Visitor(web.url)
        ada.ask("before", {"deltas": [{"wait": gate}, "Mine."]})
        answer = ada.ask("a tale", {"deltas": ["At last."]})
        with follow(stack, ada, f"{web.url}/api/streams/{answer.stream}") as running:
            running.wait_for(err="No answer can begin just now. This one waits, and begins by itself.")
            with running_worker(stack.folder, **deserted, WORKER_CONCURRENCY="1"):
                running.wait_for(err="It is next.")
                stack.model.release(gate)
                assert running.wait() == 0
                assert running.out == b"At last."


def test_what_a_model_sends_to_the_terminal_does_not_reach_it(stack: Stack, ada: Visitor) -> None:
    answer = ada.ask("colours", {"deltas": [PAINTED]})
    answer.wait(60)
    with follow(stack, ada, stream_url(stack, answer)) as running:
        assert running.wait() == 0
        assert running.out.decode() == "␛[31mred␛]0;title␇␍\ufffd2J\ufffdevil"
    with follow(stack, ada, stream_url(stack, answer), "--raw") as running:
        assert running.wait() == 0
        assert running.out.decode() == PAINTED


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ({"deltas": ["Once", {"eof": True}]}, 1, "The answer is failed."),
        ({"deltas": ["Once"], "finish_reason": "length"}, 0, "The answer is finished."),
    ],
)
def test_an_ending_is_told_with_its_reason(
    stack: Stack, ada: Visitor, script: dict[str, object], code: int, words: str
) -> None:
    answer = ada.ask("an end", script)
    with follow(stack, ada, stream_url(stack, answer)) as running:
        assert running.wait() == code
        assert running.out == b"Once"
        assert words in running.err


def test_a_share_shows_the_answer_that_is_being_written(stack: Stack, ada: Visitor, gate: str) -> None:
    conversation = ada.converse("shared")
    ada.send(conversation, {"deltas": ["The first."]}).wait(60)
    ada.send(conversation, {"deltas": ["The", {"wait": gate}, " second."]})
    share = ada.share(conversation)
    with stack.run("follow", f"{stack.line.url}/s/{share}") as running:
        running.wait_for(out=b"The")
        stack.line.cut()
        running.wait_for(err="Connection lost")
        stack.line.heal()
        stack.model.release(gate)
        assert running.wait() == 0
        assert running.out == b"The second."


def test_a_conversation_that_is_over_shows_its_newest_answer(stack: Stack, ada: Visitor) -> None:
    conversation = ada.converse("mine")
    ada.send(conversation, {"deltas": ["The only one."]}).wait(60)
    with follow(stack, ada, f"{stack.line.url}/c/{conversation}") as running:
        assert running.wait() == 0
        assert running.out == b"The only one."


def test_all_goes_on_with_the_next_answers_until_the_link_is_over(stack: Stack, ada: Visitor) -> None:
    conversation = ada.converse("shared")
    share = ada.share(conversation)
    with stack.run("follow", f"{stack.line.url}/s/{share}", "--all") as running:
        for number in ("one", "two"):
            ada.send(conversation, {"deltas": [f"Answer {number}."]}).wait(60)
            running.wait_for(out=f"Answer {number}.\n\n".encode())
        stack.line.cut()
        stack.line.heal()
        ada.send(conversation, {"deltas": ["Answer three."]}).wait(60)
        running.wait_for(out=b"Answer three.")
        ada.revoke(share)
        assert running.wait() == 4
        assert running.out == b"Answer one.\n\nAnswer two.\n\nAnswer three.\n\n"
        assert "revoked" in running.err


def test_ctrl_c_leaves_the_answer_to_itself(stack: Stack, ada: Visitor, gate: str) -> None:
    answer = ada.ask("a tale", {"deltas": ["Once", {"wait": gate}, " upon"]})
    with follow(stack, ada, stream_url(stack, answer)) as running:
        running.wait_for(out=b"Once")
        assert running.leave() == 130
        assert "goes on without you" in running.err
    stack.model.release(gate)
    answer.wait(60)
    assert answer.recording()["text"] == "Once upon"


def test_what_is_not_there_or_not_mine_is_exit_code_4(stack: Stack, ada: Visitor) -> None:
    answer = stack.visitor().ask("not hers", {"deltas": ["Secret."]})
    for url in (stream_url(stack, answer), f"{stack.line.url}/s/nothing-of-the-kind", f"{stack.line.url}/c/none"):
        with follow(stack, ada, url) as running:
            assert running.wait() == 4, running.err
            assert running.out == b""
            assert "Traceback" not in running.err


def test_a_server_that_is_not_there_is_given_up_by_and_by(stack: Stack) -> None:
    with stack.run("follow", f"http://127.0.0.1:{free_port()}/s/abc", "--patience", "0") as running:
        assert running.wait() == 5
        assert "cannot be reached (Connection refused). Given up" in running.err


def test_an_address_that_leads_nowhere_is_a_usage_error(stack: Stack) -> None:
    with stack.run("follow", "https://example.com/x") as running:
        assert running.wait() == 2
        assert "expected https://host/s/…" in running.err


def test_an_answer_whose_worker_dies_is_not_printed_twice_and_ends_as_interrupted(
    stack: Stack, ada: Visitor, gate: str
) -> None:
    """Whoever notices ends it under another epoch, so all of its text is told anew."""
    answer = ada.ask("a tale", {"deltas": ["Once", " upon", {"wait": gate}, " a time"]})
    with follow(stack, ada, stream_url(stack, answer)) as running:
        running.wait_for(out=b"Once upon")
        with redis.Redis.from_url(stack.brought["REDIS_URL"]) as client:
            die(client, answer.stream)
        assert running.wait() == 1
        assert running.out == b"Once upon"
        assert "The answer is interrupted." in running.err
    stack.model.release(gate)


def test_a_server_that_asks_for_time_is_given_it(stack: Stack, ada: Visitor) -> None:
    answer = ada.ask("a tale", {"deltas": ["Once"]})
    answer.wait(60)
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # a WebSocket is none of 1.0

        def do_GET(self) -> None:
            asked.append(self.path)
            stack.line.serve(stack.web.port)  # the next one is served
            body = json.dumps({"detail": "Too much at once."}).encode()
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Not to the terminal of the tests."""

    busy = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    with serving(busy):
        stack.line.serve(busy.server_port)
        with follow(stack, ada, stream_url(stack, answer)) as running:
            assert running.wait() == 0
            assert running.out == b"Once"
    assert asked == ["/api/socket"]
    said = re.search(r"says: Too much at once; trying again in ([\d.]+) s", running.err)
    assert said, running.err
    assert 1 <= float(said[1]) <= 1.5


def test_a_server_that_restarts_says_when_to_come_back(stack: Stack, ada: Visitor, gate: str) -> None:
    answer = ada.ask("a tale", {"deltas": ["Once", {"wait": gate}, " upon"]})
    with (
        running_web(
            redis_url=stack.brought["REDIS_URL"], database_url=stack.brought["DATABASE_URL"], log=stack.folder / "x.log"
        ) as leaving,
        running_proxy(leaving.port) as line,
        follow(stack, ada, f"{line.url}/api/streams/{answer.stream}") as running,
    ):
        running.wait_for(out=b"Once")
        line.serve(stack.web.port)
        leaving.terminate()
        running.wait_for(err="Connected again.")
        stack.model.release(gate)
        assert running.wait() == 0
        assert running.out == b"Once upon"
        assert "The connection was lost" not in running.err  # it was told that the server restarts


def test_a_server_that_has_moved_gets_no_cookie_at_its_new_address(ada: Visitor, stack: Stack) -> None:
    class Moved(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", f"{stack.web.url}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Not to the terminal of the tests."""

    moved = ThreadingHTTPServer(("127.0.0.1", 0), Moved)
    with serving(moved), follow(stack, ada, f"http://127.0.0.1:{moved.server_port}/c/abc") as running:
        assert running.wait() == 1
        assert f"has moved to {stack.web.url}/api/conversations/abc: use that address." in running.err
