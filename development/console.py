"""What the launcher says: its own lines, the children's with their names in front, and that time passes."""

import os
import sys
from datetime import datetime
from typing import TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

SIGN_OF_LIFE = 5.0  # seconds between two where a line cannot be written over


class Console:
    """Writes to one stream. That nobody reads it any more is no reason to fail: there are processes to be stopped."""

    def __init__(self, output: TextIO = sys.stdout) -> None:
        self._output = output
        self._printer = Printer(output)
        self._colours = get_colours()
        self._colour_of: dict[str, str] = {}
        self._unfinished = ""  # the line that the next one writes over
        self._next_sign = SIGN_OF_LIFE

    def say(self, text: str = "") -> None:
        self._write(text)

    def started(self, name: str, what: str, where: str) -> None:
        """One line for one thing that is there now."""
        self._write(f"  {name:<9} {what:<42} {where}")

    def waiting(self, name: str, seconds: float) -> None:
        """Called again and again while something starts."""
        if seconds < 1:
            self._next_sign = SIGN_OF_LIFE
        elif self._output.isatty():
            self._unfinished = f"  {name:<9} starting, {seconds:.0f} s"
            self._guarded(f"\r{self._unfinished}", end="")
        elif seconds >= self._next_sign:
            self._next_sign = seconds + SIGN_OF_LIFE
            self._write(f"  {name:<9} starting, {seconds:.0f} s")

    def line_of(self, name: str, line: str) -> None:
        """A line that a child wrote."""
        if name not in self._colour_of:
            self._colour_of[name] = next(self._colours)
            self._printer.width = max(self._printer.width, len(name))
        self._clear()
        message = Message("line", line, datetime.now(), name, self._colour_of[name])
        try:
            self._printer.write(message)
        except BrokenPipeError:
            self._go_deaf()

    def _write(self, text: str) -> None:
        self._clear()
        self._guarded(text, end="\n")

    def _clear(self) -> None:
        if self._unfinished:
            self._guarded(f"\r{' ' * len(self._unfinished)}\r", end="")
            self._unfinished = ""

    def _guarded(self, text: str, end: str) -> None:
        try:
            print(text, end=end, file=self._output, flush=True)
        except BrokenPipeError:
            self._go_deaf()

    def _go_deaf(self) -> None:
        # Also the flush at the interpreter's exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._output.fileno())
