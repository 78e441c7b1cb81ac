"""On a real terminal: what happens is told on lines of its own, and no text can command it."""

import os
import pty
import secrets
import subprocess

from tests.rejoinder.conftest import Stack
from tests.support.command import COMMAND, PROJECT, clean


def on_a_terminal(stack: Stack, *arguments: str) -> tuple[int, str]:
    """Run it with a terminal of its own; its exit code, and all that the terminal was sent."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=PROJECT,
        env=clean(stack.home(secrets.token_hex(4))),
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    sent = b""
    try:
        while part := os.read(ours, 65_536):
            sent += part
    except OSError:  # how Linux says that nobody is at the other end any more
        pass
    os.close(ours)
    return process.wait(), sent.decode().replace("\r\n", "\n")


def test_what_happens_begins_a_line_and_escapes_are_shown(stack: Stack) -> None:
    question = '{"deltas": ["Once \\u001b[31m"], "finish_reason": "length"}'
    code, sent = on_a_terminal(stack, "ask", question, "--url", stack.line.url)
    assert code == 0
    first, second, *rest = sent.split("\n")
    assert first == "Once ␛[31m"
    assert second.startswith("The answer is finished.")
    assert rest == [""]


def test_raw_text_is_not_for_a_terminal(stack: Stack) -> None:
    code, sent = on_a_terminal(stack, "ask", "Hello", "--raw", "--url", stack.line.url)
    assert code == 2
    assert "--raw is for files and pipes" in sent
