"""What may be written to a terminal: what others have said goes there as text, and never as a command to it.

A model's answer, a title, an error of some server's: whoever wrote it may have put control characters into it, which
move the cursor, change what stands there already, or have the terminal type something. They are shown as symbols
instead. So are the characters that let a line read in another order than it is written.
"""

import sys

import click

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


def write(text: str) -> None:
    """Write to standard output, in UTF-8 whatever the machine prefers, and at once."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def say(sentence: str) -> None:
    """Tell the person what happens. It goes to standard error, so that standard output is the text alone."""
    click.echo(one_line(sentence), err=True)
