"""`rejoinder follow URL`: an answer in the terminal, as it is written."""

from collections.abc import Generator
from contextlib import closing
from typing import Any

import click

from rejoinder.api import Api
from rejoinder.errors import CommandError, NotThere
from rejoinder.exits import Exit
from rejoinder.following import EXITS, Following
from rejoinder.identities import Identities
from rejoinder.line import Line
from rejoinder.options import PATIENCE, RAW, checked_raw, cookie_from
from rejoinder.patience import Patience
from rejoinder.places import Place
from rejoinder.terminal import Screen

Json = dict[str, Any]

RUNNING = {"queued", "running"}


@click.command("follow")
@click.argument("url")
@click.option("--cookie", envvar="REJOINDER_COOKIE", help="Yours at that server, or @FILE that holds it.")
@click.option("--all", "all_", is_flag=True, help="Go on with the next answer, until Ctrl-C or the end of the link.")
@PATIENCE
@RAW
@click.pass_context
def command(ctx: click.Context, url: str, cookie: str | None, all_: bool, patience: float, raw: bool) -> None:
    """Watch the newest answer as it is written, and go on from the exact character whatever happens to the connection.

    URL is a share link (https://host/s/…), one of your own conversations (https://host/c/…; whose cookie is that of
    `rejoinder ask`, or given), or a stream (https://host/api/streams/…). The text goes to standard output, and what
    happens to standard error.

    Exit code: 0 finished, 1 failed or interrupted, 3 stopped by somebody, 4 not there or not yours, 5 the server does
    not answer, 130 Ctrl-C.
    """
    try:
        place = Place.parse(url)
        given = cookie_from(cookie)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    screen = Screen(raw=checked_raw(raw))
    waiting = Patience(patience, screen.say)
    known = Identities().at(place.server)
    api = Api(place.server, given or (known.cookie if known else None), waiting)
    try:
        if place.stream:
            ctx.exit(_follow_stream(api, place, place.stream, screen, waiting))
        ctx.exit(
            Watch(api, place, screen, waiting).follow_all() if all_ else Watch(api, place, screen, waiting).follow()
        )
    except CommandError as error:
        screen.say(str(error))
        ctx.exit(error.exit)
    except KeyboardInterrupt:
        screen.say("Left. The answer goes on without you.")
        ctx.exit(Exit.CTRL_C)


def _follow_stream(api: Api, place: Place, stream_id: str, screen: Screen, patience: Patience) -> Exit:
    end = Following(api, place, stream_id, screen, patience).follow()
    if end is None:
        raise NotThere("This stream is kept no longer. Its conversation has the saved message.")
    return EXITS[end.outcome]


class Watch:
    """The answers of one conversation, in their order."""

    def __init__(self, api: Api, place: Place, screen: Screen, patience: Patience) -> None:
        self._api = api
        self._place = place
        self._screen = screen
        self._patience = patience
        self._version = 0
        self._seen: set[str] = set()

    def follow(self) -> Exit:
        """The one that is being written, or else the newest. Raises NotThere where there is none."""
        answers = self._answers()
        if not answers:
            raise NotThere("There is no answer in this conversation yet. `--all` waits for one.")
        return self._show(answers[-1])

    def follow_all(self) -> Exit:
        """That one, and every one after it; returns never. Raises NotThere when the link is over."""
        self._seen = {answer["id"] for answer in self._answers()[:-1]}
        while True:
            for answer in self._answers():
                if answer["id"] not in self._seen:
                    self._seen.add(answer["id"])
                    self._show(answer)
                    self._screen.write("\n\n")
            self._wait_for_news()

    def _show(self, answer: Json) -> Exit:
        following = Following(self._api, self._place, answer.get("stream") or "", self._screen, self._patience)
        end = following.follow() if answer["status"] in RUNNING else None
        if end is None:  # it was saved before we came, or meanwhile
            saved = next((each for each in self._answers() if each["id"] == answer["id"]), answer)
            end = following.print_saved(saved)
        return EXITS[end.outcome]

    def _answers(self) -> list[Json]:
        """Those of the active path, as they are now."""
        conversation = self._api.get(self._place.path)
        self._version = conversation.get("version") or 0
        messages = conversation.get("messages") or []
        return [message for message in messages if message.get("role") == "assistant"]

    def _wait_for_news(self) -> None:
        """Return when the conversation has changed."""
        with closing(self._line()) as frames:
            for frame in frames:
                if frame.get("type") == "news":
                    return

    def _line(self) -> Generator[Json]:
        return Line(self._place.server, self._place.query, self._api.cookie, self._patience, wants=self._watch).frames()

    def _watch(self) -> list[Json]:
        return [{"type": "watch", "conversation": self._place.name, "version": self._version}]
