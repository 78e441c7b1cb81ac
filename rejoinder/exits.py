"""How the command ends, told to the shell."""

from enum import IntEnum


class Exit(IntEnum):
    """README.md has them in a table."""

    FINISHED = 0
    FAILED = 1
    """An answer failed or was interrupted; something is wrong."""
    USAGE = 2
    """The command line is not right; click's own."""
    CANCELLED = 3
    """Somebody stopped the answer."""
    NOT_THERE = 4
    """There is no such stream, conversation or share; or it is not yours, was revoked, or is kept no longer."""
    UNREACHABLE = 5
    """The server did not answer for as long as we had patience."""
    CTRL_C = 130
    NOBODY_READS = 141
    """What reads our standard output has left: `| head`."""
