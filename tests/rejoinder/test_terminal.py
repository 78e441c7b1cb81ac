"""On a real terminal: what happens is told on lines of its own, and no text can command it."""

import os
import pty
import secrets
import subprocess
import unicodedata

from tests.rejoinder.conftest import Stack
from tests.support import hostile
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


def test_whatever_a_model_and_a_title_say_a_terminal_is_told_nothing_but_text(stack: Stack) -> None:
    words = "\n".join([*hostile.CHARACTERS.values(), *hostile.MARKUP.values(), hostile.SURROGATE])
    visitor = stack.visitor()
    conversation = visitor.converse(words[:200])
    visitor.send(conversation, {"deltas": [words], "finish_reason": "length"}).wait(60)
    link = visitor.share(conversation)
    code, sent = on_a_terminal(stack, "follow", f"{stack.line.url}/s/{link}")
    assert code == 0
    assert "window.ran=1" in sent
    assert "␛[2J␛[31mred" in sent
    assert not [each for each in sent if unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t"]
    assert not set(sent) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_raw_text_is_not_for_a_terminal(stack: Stack) -> None:
    code, sent = on_a_terminal(stack, "ask", "Hello", "--raw", "--url", stack.line.url)
    assert code == 2
    assert "--raw is for files and pipes" in sent
