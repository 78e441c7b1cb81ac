"""Following one answer to its end: what comes over a Line goes through a Transcript onto Paper, and from there to the
Screen.
"""

from collections.abc import Generator
from contextlib import closing
from typing import Any

from rejoinder.api import Api
from rejoinder.errors import NotThere, Refused
from rejoinder.exits import Exit
from rejoinder.line import Line
from rejoinder.paper import Paper
from rejoinder.patience import Patience
from rejoinder.places import Place
from rejoinder.terminal import Screen
from rejoinder.transcript import OutOfStep, Transcript
from streams import End, Outcome
from streams.chunk import decode_end, is_end, join

Json = dict[str, Any]

EXITS = {
    Outcome.FINISHED: Exit.FINISHED,
    Outcome.FAILED: Exit.FAILED,
    Outcome.INTERRUPTED: Exit.FAILED,
    Outcome.CANCELLED: Exit.CANCELLED,
}
EXPIRED = 410
MOST_TIMES_ANEW = 5  # after which it is no accident
AWAY = "No answer can begin just now. This one waits, and begins by itself. Should it take too long, it says so here."


class Following:
    """One answer. Its text is printed once, whatever happens on the way."""

    def __init__(self, api: Api, place: Place, stream_id: str, screen: Screen, patience: Patience) -> None:
        self._api = api
        self._place = place
        self._stream_id = stream_id
        self._screen = screen
        self._patience = patience
        self._transcript = Transcript()
        self._paper = Paper()
        self._note = ""
        self._lost = False

    @property
    def position(self) -> str:
        """Where it stands, as people read it."""
        position = self._transcript.position
        return f"{position.index:,}" if position else "the beginning"

    def follow(self) -> End | None:
        """Its end; None where the stream is kept no longer. Raises NotThere, Refused, Unreachable."""
        for _ in range(MOST_TIMES_ANEW):
            try:
                return self._follow()
            except OutOfStep:
                self._transcript = Transcript()
                self._paper.again()
        raise Refused(f"What {self._place.server} sends does not fit together.")

    def print_saved(self, message: Json) -> End:
        """As `follow`, of an answer that the conversation has as a whole."""
        self._paper.again()
        self._print(str(message.get("content") or ""))
        status = message.get("status")
        outcome = Outcome(status) if status in set(Outcome) else Outcome.INTERRUPTED
        end = End(outcome, message.get("reason"))
        self._close(end)
        return end

    def _follow(self) -> End | None:
        """As `follow`. Raises OutOfStep."""
        while True:
            with closing(self._line()) as frames:
                for frame in frames:
                    if frame.get("stream") != self._stream_id:
                        continue
                    if frame.get("type") == "gone":
                        self._check_expired(frame)
                        return None
                    if frame.get("type") == "problem":
                        break
                    end = self._take(frame)
                    if end is not None:
                        self._close(end)
                        return end
            self._patience.wait(_detail(frame, "The server has a problem").rstrip("."))

    def _line(self) -> Generator[Json]:
        line = Line(
            self._place.server,
            self._place.query,
            self._api.cookie,
            self._patience,
            wants=self._wants,
            lost=self._say_lost,
        )
        return line.frames()

    def _wants(self) -> list[Json]:
        follow = {"type": "follow", "stream": self._stream_id}
        position = self._transcript.position
        return [{**follow, "position": str(position)} if position else follow]

    def _say_lost(self) -> None:
        self._lost = True
        self._screen.say(f"Connection lost, resuming from {self.position}.")

    def _take(self, frame: Json) -> End | None:
        match frame.get("type"):
            case "following":
                if self._transcript.begin(frame):
                    self._paper.again()
                if self._lost:
                    self._lost = False
                    self._screen.say("Connected again.")
            case "queue":
                self._tell(turn(frame))
            case "chunks" | "end":
                entries = self._transcript.take(frame)
                if not entries:
                    return None
                joined = join(entries)
                self._print(joined.text)
                if joined.note is not None:
                    self._tell(joined.note)
                if is_end(entries[-1]):
                    return decode_end(entries[-1])
        return None

    def _print(self, text: str) -> None:
        printing = self._paper.take(text)
        if printing.anew:
            self._screen.say("The answer was begun anew: what is above counts no more.")
            self._screen.write("\n")
        self._screen.write(printing.text)

    def _tell(self, note: str) -> None:
        """What it waits for, each once."""
        if note and note != self._note:
            self._screen.say(note)
        self._note = note

    def _check_expired(self, frame: Json) -> None:
        """Raises NotThere where a stream is gone for another reason."""
        if (frame.get("problem") or {}).get("status") != EXPIRED:
            raise NotThere(_detail(frame, "There is no such stream, or it is not yours."))

    def _close(self, end: End) -> None:
        self._screen.end_line()
        if left := self._paper.left_over:
            self._screen.say(f"The last {left:,} characters above were lost with the worker that wrote them.")
        if end.outcome is not Outcome.FINISHED or end.reason:
            self._screen.say(f"The answer is {end.outcome.value}. {end.reason or ''}".strip())


def turn(frame: Json) -> str:
    """What a stream in the queue waits for. An older server does not say whether anybody is there to begin it."""
    if frame.get("away"):
        return AWAY
    match frame.get("ahead"):
        case None:
            return "It waits for its turn."
        case 0:
            return "It is next."
        case ahead:
            return f"In the queue: {ahead} come before it."


def _detail(frame: Json, otherwise: str) -> str:
    """The sentence of the problem in it."""
    return str((frame.get("problem") or {}).get("detail") or otherwise)
