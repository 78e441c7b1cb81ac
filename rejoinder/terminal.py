"""What may be written to a terminal: what others have said goes there as text, and never as a command to it.

A model's answer, a title, an error of some server's: whoever wrote it may have put control characters into it, which
move the cursor, change what stands there already, or have the terminal type something. They are shown as symbols
instead. So are the characters that let a line read in another order than it is written.
"""

import os
import sys

import click

from rejoinder.exits import Exit

KEPT = "\n\t"
CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in KEPT}  # ␀ to ␟, as Unicode draws them
CONTROLS[0x7F] = 0x2421
UNDRAWN = dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)
HARMLESS = {**CONTROLS, **UNDRAWN}


def harmless(text: str) -> str:
    """The text, with a symbol in place of each character that a terminal would obey. Every other one is as it was."""
    return text.translate(HARMLESS)


def one_line(text: str) -> str:
    """As `harmless`, on one line, whatever was in it."""
    return harmless(" ".join(text.split()))


def say(sentence: str) -> None:
    """Tell the person what happens. It goes to standard error, so that standard output is the text alone."""
    click.echo(one_line(sentence), err=True)


class Screen:
    """Where an answer appears: its text on standard output, and what happens meanwhile on standard error."""

    def __init__(self, *, raw: bool = False) -> None:
        """With `raw`, every byte of the text is as it came: for files, never for a terminal."""
        self._raw = raw
        self._is_one = sys.stdout.isatty() and sys.stderr.isatty()  # both are seen in the same place
        self._in_line = False

    def write(self, text: str) -> None:
        """In UTF-8, whatever the machine prefers, and at once."""
        if not text:
            return
        shown = text if self._raw else harmless(text)
        try:
            sys.stdout.buffer.write(shown.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # nobody reads on
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor fails at the interpreter's exit
            sys.exit(Exit.NOBODY_READS)
        self._in_line = not shown.endswith("\n")

    def say(self, sentence: str) -> None:
        """On a line of its own."""
        self.end_line()
        say(sentence)

    def end_line(self) -> None:
        """Let what comes next on a terminal begin a line, without adding to the text."""
        if self._is_one and self._in_line:
            click.echo(err=True)
            self._in_line = False
