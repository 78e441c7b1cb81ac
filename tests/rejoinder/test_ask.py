"""A question from the terminal: asked once, followed to its end, stopped by Ctrl-C, and gone on with."""

import json
import secrets
import stat
from pathlib import Path

import pytest

from tests.rejoinder.conftest import Stack
from tests.support.command import Running, rejoinder


@pytest.fixture
def gate() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def home(stack: Stack) -> dict[str, str]:
    """Of somebody who has not asked before."""
    return {**stack.home(secrets.token_hex(4)), "REJOINDER_URL": stack.line.url}


def waiting(gate: str) -> str:
    """A question whose answer waits for the gate."""
    return json.dumps({"deltas": ["Once", {"wait": gate}, " upon"]})


def test_an_answer_is_printed_and_the_cookie_kept_for_nobody_else(stack: Stack, home: dict[str, str]) -> None:
    ended = rejoinder("ask", "Say it back", environment=home)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"Say it back ", b"")
    file = Path(home["XDG_CONFIG_HOME"]) / "rejoinder" / "identities.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(json.loads(file.read_text())) == [stack.line.url]


def test_a_question_comes_on_standard_input_too_and_a_model_may_be_named(stack: Stack, home: dict[str, str]) -> None:
    before = len(stack.model.requests())
    ended = rejoinder("ask", "-", "--model", "scripted", environment=home, given="Größe\n".encode())
    assert (ended.returncode, ended.stdout.decode()) == (0, "Größe ")
    [request] = stack.model.requests(before)
    assert request["body"]["model"] == "scripted"


def test_continue_goes_on_in_the_same_conversation(stack: Stack, home: dict[str, str]) -> None:
    before = len(stack.model.requests())
    rejoinder("ask", "First", environment=home)
    rejoinder("ask", "Second", "--continue", environment=home)
    rejoinder("ask", "Third", environment=home)
    asked = [
        [each["content"] for each in request["body"]["messages"] if each["role"] == "user"]
        for request in stack.model.requests(before)
    ]
    assert asked == [["First"], ["First", "Second"], ["Third"]]


def test_a_cookie_that_the_server_no_longer_accepts_is_replaced(stack: Stack, home: dict[str, str]) -> None:
    rejoinder("ask", "First", environment=home)
    file = Path(home["XDG_CONFIG_HOME"]) / "rejoinder" / "identities.json"
    identities = json.loads(file.read_text())
    identities[stack.line.url]["cookie"] = "rejoinder=of-an-old-key"
    file.write_text(json.dumps(identities))
    ended = rejoinder("ask", "Second", environment=home)
    assert (ended.returncode, ended.stdout) == (0, b"Second ")
    assert json.loads(file.read_text())[stack.line.url]["cookie"] != "rejoinder=of-an-old-key"
    again = rejoinder("follow", f"{stack.line.url}/c/{kept(stack, home)}", environment=home)
    assert (again.returncode, again.stdout) == (0, b"Second ")


def test_a_connection_that_is_cut_costs_nothing_and_the_model_is_asked_once(
    stack: Stack, home: dict[str, str], gate: str
) -> None:
    before = len(stack.model.requests())
    with Running("ask", waiting(gate), environment=home) as running:
        running.wait_for(out=b"Once")
        stack.line.cut()
        running.wait_for(err="Connection lost, resuming from ")
        stack.line.heal()
        stack.model.release(gate)
        assert running.wait() == 0
        assert running.out == b"Once upon"
    assert len(stack.model.requests(before)) == 1


def test_ctrl_c_stops_the_answer_and_what_is_there_is_kept(stack: Stack, home: dict[str, str], gate: str) -> None:
    with Running("ask", waiting(gate), environment=home) as running:
        running.wait_for(out=b"Once")
        running.interrupt()
        assert running.wait() == 130
        assert running.out == b"Once"
        assert "The answer is cancelled." in running.err
    conversation = kept(stack, home)
    with Running("follow", f"{stack.line.url}/c/{conversation}", environment=home) as again:
        assert again.wait() == 3
        assert again.out == b"Once"


def test_a_second_ctrl_c_leaves_it_and_prints_what_follows_it(stack: Stack, home: dict[str, str], gate: str) -> None:
    with Running("ask", waiting(gate), environment=home) as running:
        running.wait_for(out=b"Once")
        stack.line.freeze()  # so that nothing is heard of the stop
        running.interrupt()
        running.wait_for(err="Stopping.")
        running.interrupt()
        assert running.wait() == 130
        assert f"rejoinder follow {stack.line.url}/c/{kept(stack, home)}" in running.err
        assert "Traceback" not in running.err
    stack.line.heal()
    stack.model.release(gate)


def kept(stack: Stack, home: dict[str, str]) -> str:
    """The conversation that the command remembers."""
    file = Path(home["XDG_CONFIG_HOME"]) / "rejoinder" / "identities.json"
    return str(json.loads(file.read_text())[stack.line.url]["conversation"])


def test_a_model_that_is_not_offered_is_refused_in_a_sentence(stack: Stack, home: dict[str, str]) -> None:
    ended = rejoinder("ask", "Hello", "--model", "x" * 300, environment=home)
    assert ended.returncode == 1
    assert ended.stdout == b""
    assert b"model" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert stack.web.is_alive()


def test_nothing_to_ask_is_a_usage_error(home: dict[str, str]) -> None:
    ended = rejoinder("ask", "-", environment=home, given=b" \n")
    assert ended.returncode == 2
    assert b"There is no question in it." in ended.stderr


def test_a_server_that_is_not_there_is_exit_code_5(home: dict[str, str]) -> None:
    ended = rejoinder("ask", "Hello", "--url", "http://127.0.0.1:1", "--patience", "0", environment=home)
    assert (ended.returncode, ended.stdout) == (5, b"")
    assert b"cannot be reached (Connection refused)" in ended.stderr
