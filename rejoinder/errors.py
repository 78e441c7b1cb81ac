"""What can keep one from an answer, each a sentence for the person, and the exit code that it ends with."""

from rejoinder.exits import Exit


class CommandError(Exception):
    """The base of all errors of this package."""

    exit = Exit.FAILED


class NotThere(CommandError):
    """It is not there, not yours, or no longer."""

    exit = Exit.NOT_THERE


class Refused(CommandError):
    """The server understood, and will not do it, however often it is asked."""


class Unreachable(CommandError):
    """Nothing that speaks our protocol answers."""

    exit = Exit.UNREACHABLE
