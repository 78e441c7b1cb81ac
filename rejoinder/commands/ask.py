"""`rejoinder ask "…"`: a question from the terminal, and its answer as it is written."""

import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from rejoinder.api import Api
from rejoinder.errors import CommandError
from rejoinder.exits import Exit
from rejoinder.following import EXITS, Following
from rejoinder.identities import Identities, Identity
from rejoinder.options import PATIENCE, RAW, checked_raw
from rejoinder.patience import Patience
from rejoinder.places import Place, server_of
from rejoinder.terminal import Screen, say

STOP_PATIENCE = 30.0  # seconds


def _local() -> str:
    """Where `make run` and `PORT` have it."""
    return f"http://localhost:{os.environ.get('PORT') or 8000}"


@click.command("ask")
@click.argument("question")
@click.option("--url", envvar="REJOINDER_URL", default=_local, help="The server.  [default: http://localhost:$PORT]")
@click.option("--model", help="Who shall answer; else the server's default.")
@click.option("--continue", "continue_", is_flag=True, help="Go on in the conversation of the last question.")
@PATIENCE
@RAW
@click.pass_context
def command(
    ctx: click.Context, question: str, url: str, model: str | None, continue_: bool, patience: float, raw: bool
) -> None:
    """Ask QUESTION (-: what comes on standard input), and follow the answer as `rejoinder follow` does.

    Ctrl-C stops the answer; what is there of it is kept. A second Ctrl-C leaves it alone, and prints the command that
    follows it. Exit codes are those of `rejoinder follow`.
    """
    try:
        server = server_of(url)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    content = sys.stdin.buffer.read().decode("utf-8", "replace") if question == "-" else question
    if not content.strip():
        raise click.UsageError("There is no question in it.")
    screen = Screen(raw=checked_raw(raw))
    asking = Asking(server, screen, Patience(patience, screen.say))
    try:
        stream_id = asking.ask(content, model, go_on=continue_)
        with asking.stops(stream_id):
            ctx.exit(asking.follow(stream_id))
    except CommandError as error:
        screen.say(str(error))
        ctx.exit(error.exit)
    except KeyboardInterrupt:
        screen.say(f"Left. Follow it again with: {asking.again}")
        ctx.exit(Exit.CTRL_C)


class Asking:
    """One question at one server, as the identity that asked there before."""

    def __init__(self, server: str, screen: Screen, patience: Patience) -> None:
        self._server = server
        self._screen = screen
        self._patience = patience
        self._identities = Identities()
        self._known = self._identities.at(server)
        self._api = Api(server, self._known.cookie if self._known else None, patience)
        self._conversation = ""
        self._stopping = False

    @property
    def again(self) -> str:
        """The command that follows the answer."""
        return f"rejoinder follow {self._server}/c/{self._conversation}"

    def ask(self, content: str, model: str | None, *, go_on: bool) -> str:
        """Send it once, however often it has to be sent; the stream of its answer."""
        kept = self._known.conversation if self._known and go_on else None
        if go_on and kept is None:
            self._screen.say("There is no conversation to go on with; this is a new one.")
        self._conversation = kept or str(self._api.post("/api/conversations")["id"])
        self._keep()
        body = {"content": content, **({"model": model} if model else {})}
        path = f"/api/conversations/{self._conversation}/messages"
        return str(self._api.post(path, body, {"Idempotency-Key": secrets.token_hex(16)})["stream"])

    def follow(self, stream_id: str) -> Exit:
        """To its end."""
        place = Place(self._server, conversation=self._conversation)
        following = Following(self._api, place, stream_id, self._screen, self._patience)
        end = following.follow()
        if end is None:  # nobody could be reached for as long as streams are kept
            messages = self._api.get(place.path)["messages"]
            end = following.print_saved(next(each for each in messages if each["stream"] == stream_id))
        return Exit.CTRL_C if self._stopping and EXITS[end.outcome] is Exit.CANCELLED else EXITS[end.outcome]

    @contextmanager
    def stops(self, stream_id: str) -> Iterator[None]:
        """For the length of the block the first Ctrl-C stops the answer, whose end then comes as any other does.

        The handler only begins it, for the program may be anywhere, and goes on from there; a second Ctrl-C is one.
        """

        def stop() -> None:
            try:
                # A client of its own, for the other one may be in the middle of a request.
                Api(self._server, self._api.cookie, Patience(STOP_PATIENCE, say)).post(f"/api/streams/{stream_id}/stop")
            except CommandError as error:
                say(f"It could not be stopped: {error}")

        def first(_signal: int, _frame: FrameType | None) -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._stopping = True
            self._screen.say("Stopping. Ctrl-C once more leaves it as it is.")
            threading.Thread(target=stop, daemon=True).start()

        before = signal.signal(signal.SIGINT, first)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _keep(self) -> None:
        try:
            self._identities.keep(self._server, Identity(self._api.cookie, self._conversation))
        except OSError as error:
            self._screen.say(f"The cookie could not be kept ({error}): `--continue` will not find this conversation.")
