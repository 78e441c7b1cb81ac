"""One fault: answers that are watched while something is broken, and what becomes of them.

A scenario is a function that gets a `Run`: it asks, breaks, and mends. What must hold afterwards is the same for all.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from random import Random
from typing import Any, TypeVar

import httpx2

from faults.invariants import Expected, Saved, Seen, Verdict, judge, judge_entries
from faults.people import Person
from faults.records import lasting, open_records, saved_answers
from faults.stack import Stack
from faults.viewer import Address, Viewer, Way
from faults.wire import Trouble
from faults.words import WORD, beginning, text_of
from streams import keys
from tests.support.waiting import wait_until

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE = 120.0  # seconds for what must happen; nothing should take a tenth of it
FEW = 20  # words: an answer of a second
WORDS, PACE = 160, 0.05  # an answer of eight seconds: longer than a lease


@dataclass(frozen=True, slots=True)
class Measured:
    """How long something took, beside how long it may take (seconds)."""

    what: str
    seconds: float
    bound: float

    @property
    def holds(self) -> bool:
        return self.seconds <= self.bound

    def __str__(self) -> str:
        missed = "" if self.holds else " MISSED"
        return f"{self.what}: {self.seconds:.2f} s (at most {self.bound:g} s){missed}"


@dataclass(eq=False)
class Answer:
    """One that was asked for, and whoever watches it."""

    name: str
    words: int
    conversation: str
    stream: str
    asked_by: Person
    script: Json
    key: str
    viewers: list[Viewer] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)

    def expect(self, *outcomes: str, **changes: Any) -> None:
        """Something else than a whole answer."""
        self.expected = replace(self.expected, outcomes=frozenset(outcomes) or self.expected.outcomes, **changes)

    def messages(self) -> list[Json]:
        """Question and answer, as the conversation shows them."""
        found: list[Json] = self.asked_by.call("GET", f"/api/conversations/{self.conversation}").json()["messages"]
        return found

    def wait_for(self, words: int, *viewers: Viewer) -> None:
        """Until these, by default all, have so many words, or the end."""
        wait_until(
            lambda: all(viewer.is_done or beginning(viewer.text) >= words for viewer in viewers or self.viewers),
            PATIENCE,
            f"{words} words of {self.name}",
        )

    def wait_until_done(self, *viewers: Viewer) -> None:
        """Until these, by default all, have the end."""
        wait_until(
            lambda: all(viewer.is_done for viewer in viewers or self.viewers), PATIENCE, f"the end of {self.name}"
        )


class Crowd:
    """The event loop of all viewers, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="viewers", daemon=True)
        self._thread.start()
        self._watching: list[Future[None]] = []

    def add(self, viewer: Viewer) -> None:
        self._watching.append(asyncio.run_coroutine_threadsafe(viewer.watch(), self._loop))

    def failures(self) -> list[str]:
        """What went wrong in a viewer itself: a fault of this program."""
        done = [watching for watching in self._watching if watching.done() and not watching.cancelled()]
        return [f"a viewer broke: {error!r}" for watching in done if (error := watching.exception())]

    def dismiss(self) -> None:
        """Whoever still watches leaves."""
        asyncio.run_coroutine_threadsafe(_all_leave(), self._loop).result()
        self._watching.clear()

    def close(self) -> None:
        self.dismiss()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _all_leave() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Run:
    """What a scenario works with."""

    def __init__(self, stack: Stack, crowd: Crowd, name: str, seed: int, scale: float) -> None:
        self.stack = stack
        self.scale = scale
        """How large it all is: 1, or less where it has to be quick."""
        self.random = Random(f"{seed} {name}")
        self.answers: list[Answer] = []
        self.times = 0
        self.measured: list[Measured] = []
        self.complaints: list[str] = []
        self.notes: list[str] = []
        self.operator_was_asked_for = False
        self.name = name
        self._crowd = crowd
        self.database = open_records(stack.database_url)
        self._persons: list[Person] = []
        self._begun = len(stack.model.requests())
        self.excused: set[str] = set()
        """Words of lines that may be followed by a traceback."""
        self._begun_at = stack.logs.mark()

    # -- for scenarios

    def person(self) -> Person:
        """Somebody new."""
        person = Person(self.stack.ports, Random(self.random.random()))
        self._persons.append(person)
        return person

    def ask(
        self,
        words: int = WORDS,
        pace: float = PACE,
        *,
        viewers: int = 2,
        person: Person | None = None,
        conversation: str | None = None,
        **script: Any,
    ) -> Answer:
        """Ask for an answer of so many words, one every `pace` seconds, and have it watched.

        `script` is what else the scripted model shall do (tests/support/scripted_model.py).
        """
        person = person or self.person()
        name = f"{self.name} {len(self.answers)}"
        conversation = conversation or person.converse(name)
        told = {"name": name, "deltas": [WORD], "repeat": words, "pace": pace, **script}
        key = f"{self.random.getrandbits(64):x}"
        sent = person.send(conversation, told, key=key)
        answer = Answer(name, words, conversation, sent["stream"], person, told, key)
        self.answers.append(answer)
        for number in range(viewers):
            self.watch(answer, way=Way.EVENTS if number % 3 == 2 else Way.WEBSOCKET)
        return answer

    def go_on(self, part: Answer) -> Answer:
        """Press Continue below one that was interrupted."""
        begun = beginning(part.viewers[0].text)
        rest = [text_of(1, number) for number in range(begun, part.words)]
        self.stack.model.script(
            {"deltas": rest, "pace": PACE}
        )  # the question's own script would begin at its beginning
        return self._press("continue", part)

    def try_again(self, part: Answer) -> Answer:
        """Press Try again below one that was interrupted."""
        return self._press("regenerate", part)

    def _press(self, button: str, part: Answer) -> Answer:
        message = part.messages()[-1]["id"]
        key = f"{self.random.getrandbits(64):x}"
        sent = part.asked_by.call("POST", f"/api/messages/{message}/{button}", {"model": "scripted"}, key=key).json()
        answer = Answer(part.name, part.words, part.conversation, sent["stream"], part.asked_by, part.script, key)
        self.answers.append(answer)
        for _ in range(2):
            self.watch(answer)
        return answer

    def ask_at_once(self, count: int, *, with_a_key: bool) -> tuple[Answer, list[httpx2.Response]]:
        """Ask the same question so often, at the same instant, of all web processes; what each of them answered."""
        person = self.person()
        name = f"{self.name} {len(self.answers)}"
        conversation = person.converse(name)
        told = {"name": name, "deltas": [WORD], "repeat": FEW, "pace": PACE}
        key = f"{self.random.getrandbits(64):x}" if with_a_key else ""
        answer = Answer(name, FEW, conversation, "", person, told, key)
        responses = self.at_once(count, self._post, answer)
        sent = [response.json()["stream"] for response in responses if response.status_code == HTTPStatus.ACCEPTED]
        answer.stream = sent[0] if sent else ""
        self.answers.append(answer)
        for _ in range(2):
            self.watch(answer)
        return answer, responses

    def _post(self, answer: Answer, number: int) -> httpx2.Response:
        body = {"content": json.dumps(answer.script), "model": "scripted"}
        path = f"/api/conversations/{answer.conversation}/messages"
        return answer.asked_by.ask("POST", path, body, key=answer.key or None, port=self._port(number))

    def watch(self, answer: Answer, way: Way = Way.WEBSOCKET, trouble: Trouble | None = None) -> Viewer:
        """One viewer more."""
        viewer = self._viewer(answer, way, trouble)
        answer.viewers.append(viewer)
        return viewer

    def watch_by_share(self, answer: Answer, share: str, trouble: Trouble | None = None) -> Viewer:
        """Somebody who was sent a link. Not among those who must have the whole answer."""
        return self._viewer(answer, Way.WEBSOCKET, trouble, share)

    def _viewer(self, answer: Answer, way: Way, trouble: Trouble | None, share: str | None = None) -> Viewer:
        cookie = "" if share else answer.asked_by.cookie
        address = Address(self.stack.ports, cookie, answer.conversation, answer.stream, share)
        viewer = Viewer(address, way, Random(self.random.random()), trouble)
        self._crowd.add(viewer)
        return viewer

    def stop(self, answer: Answer, number: int) -> None:
        """Press stop, at one of the web processes."""
        answer.asked_by.stop(answer.stream, self._port(number))

    def _port(self, number: int) -> int:
        ports = self.stack.ports()
        return ports[number % len(ports)]

    def at_once(self, count: int, call: Callable[[Answer, int], T], answer: Answer) -> list[T]:
        """Do it so often to an answer, each with its number, all at the same instant."""
        barrier = threading.Barrier(count)

        def together(number: int) -> T:
            barrier.wait()
            return call(answer, number)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(together, range(count)))

    def wait_asked(self, answer: Answer, times: int = 1) -> None:
        """Until the model has been asked for this answer so often."""
        wait_until(lambda: self._asked()[answer.name] >= times, PATIENCE, f"request {times} for {answer.name}")

    def wait_saved(self, answer: Answer) -> None:
        """Until the database has it."""
        wait_until(lambda: self._saved(answer), PATIENCE, f"{answer.name} to be saved")

    def many(self, count: int) -> int:
        """So many at full size; fewer where it has to be quick."""
        return max(1, round(count * self.scale))

    def injected(self, times: int = 1) -> None:
        """Something was broken, so often."""
        self.times += times

    def measure(self, what: str, seconds: float | None, bound: float) -> None:
        """Note how long something took that has a bound; None: it did not happen."""
        self.measured.append(Measured(what, float("inf") if seconds is None else seconds, bound))

    def processes_say(self, *words: str) -> None:
        """There is a line in a log that says this, and was not there before this fault."""
        self.operator_was_asked_for = True
        try:
            wait_until(lambda: self.stack.logs.lines(*words, since=self._begun_at), 20, f"a line that says {words}")
        except TimeoutError:
            self.complain(f"no line in a log says {' … '.join(words)}")

    def note(self, what: str) -> None:
        """Something worth telling, below the table."""
        self.notes.append(what)

    def complain(self, what: str) -> None:
        """Something is wrong that only this scenario can know."""
        self.complaints.append(what)

    def pause(self, seconds: float) -> None:
        """Let the fault last so long: the length is the fault, and nothing is waited for."""
        time.sleep(seconds)

    def operator_sees(self, answer: Answer, *words: str) -> None:
        """There is a line in a log that names the stream and says this."""
        self.operator_was_asked_for = True
        try:
            wait_until(lambda: self.stack.logs.lines(answer.stream, *words), 10, f"a line that says {words}")
        except TimeoutError:
            self.complaints.append(
                f"{answer.name}: no line in a log names {answer.stream} and says {' … '.join(words)}"
            )

    # -- afterwards

    def settle(self) -> Verdict:
        """Wait until all is over, and judge it."""
        viewers = [viewer for answer in self.answers for viewer in answer.viewers]
        verdict = Verdict(complaints=self.complaints)
        try:
            wait_until(
                lambda: all(viewer.is_done for viewer in viewers) or self._crowd.failures(), PATIENCE, "every viewer"
            )
            wait_until(lambda: all(map(self._saved, self.answers)), PATIENCE, "every answer to be saved")
            wait_until(lambda: not self._unsettled(), PATIENCE, "every stream to be settled")
        except TimeoutError as late:
            verdict.complaints.append(f"{self.name}: {late}")
        verdict.complaints += self._crowd.failures()
        asked = self._asked()
        for answer in self.answers:
            seen, saved = _seen(answer.viewers), self._saved(answer)
            verdict += judge(answer.name, answer.words, answer.expected, asked[answer.name], seen, saved)
            entries: Any = self.stack.stream_redis.lrange(keys.chunks(answer.stream), 0, -1)
            verdict.complaints += judge_entries(answer.name, entries, saved)
        try:  # an answer is saved a moment before RQ is told so
            wait_until(
                lambda: not lasting(self.stack.redis_servers), 20, "what was kept for answers to go away in time"
            )
        except TimeoutError:
            verdict.complaints += lasting(self.stack.redis_servers)
        verdict.complaints += [f"a traceback in {where}" for where in self.stack.logs.tracebacks(self.excused)]
        return verdict

    def close(self) -> None:
        self._crowd.dismiss()
        for person in self._persons:
            person.close()
        self.database.dispose()

    @property
    def longest_pause(self) -> float:
        """Seconds that any viewer waited for its next word, in the middle of an answer."""
        return max((viewer.longest_pause for answer in self.answers for viewer in answer.viewers), default=0.0)

    def _saved(self, answer: Answer) -> list[Saved]:
        return saved_answers(self.database, answer.stream)

    def _asked(self) -> Counter[str]:
        return Counter(_asked_for(request) for request in self.stack.model.requests(self._begun))

    def _unsettled(self) -> int:
        """Of these answers; a send that was taken back leaves a stream that is settled later."""
        streams = [answer.stream for answer in self.answers]
        scores = self.stack.stream_redis.zmscore(keys.UNSETTLED, streams) if streams else []
        return sum(score is not None for score in scores)


def _seen(viewers: Sequence[Viewer]) -> list[Seen]:
    return [
        Seen(
            f"viewer {number}",
            viewer.text,
            viewer.outcome,
            viewer.record.forgotten,
            viewer.record.broken,
        )
        for number, viewer in enumerate(viewers)
    ]


def _asked_for(request: Json) -> str:
    """The name of the script that a request to the model carries: its last question that is one."""
    for message in reversed(request["body"]["messages"]):
        with suppress(ValueError, TypeError, KeyError):
            return str(json.loads(message["content"])["name"])
    return "nothing that was asked here"


Scenario = Callable[[Run], None]
