"""What `follow` and `ask` have in common on their command lines."""

import sys
from pathlib import Path

import click

from rejoinder.api import parsed_cookie

PATIENCE = click.option(
    "--patience", type=click.FloatRange(min=0), default=300.0, show_default=True, help="Seconds to wait for the server."
)
RAW = click.option("--raw", is_flag=True, help="Leave control characters in the text; not to a terminal.")


def checked_raw(raw: bool) -> bool:
    """Raises click.UsageError where the text would go to a terminal, which would obey it."""
    if raw and sys.stdout.isatty():
        raise click.UsageError("--raw is for files and pipes: a terminal would obey what is in the text.")
    return raw


def cookie_from(given: str | None) -> str | None:
    """What was given, or the first line of the file that it names. Raises ValueError."""
    if given and given.startswith("@"):
        try:
            given = Path(given[1:]).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file of the cookie cannot be read ({error})") from None
    if given and not parsed_cookie(given):
        raise ValueError("this is no cookie; expected name=value, or the value alone, as a browser shows it")
    return given
