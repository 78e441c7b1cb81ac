"""What happens to notifications, which are hints: what is in the list is the truth."""

import threading
from collections.abc import Callable
from random import Random

from faults.catalogue import fault
from faults.run import Run

MISSED = "notifications were missed; read from the list"


@fault("every third notification is lost", viewer="small pauses", operator=MISSED)
def lost(run: Run) -> None:
    _tampered(run, lambda random: lambda messages: [each for each in messages if random.random() > 1 / 3], MISSED)


@fault("notifications are repeated", viewer="nothing", operator="nothing: they are passed over")
def repeated(run: Run) -> None:
    _tampered(run, lambda _: lambda messages: [each for each in messages for _ in range(3)])


@fault("notifications come in another order", viewer="small pauses", operator=MISSED, often=True)
def reordered(run: Run) -> None:
    _tampered(run, _Shuffler, MISSED)


@fault("all notifications are lost", viewer="lumps, every five seconds", operator=MISSED)
def all_lost(run: Run) -> None:
    _tampered(run, lambda _: lambda _: [], MISSED)


@fault(
    "the subscriber's connection is cut, again and again",
    viewer="small pauses",
    operator="pub/sub connection lost, reconnecting",
    often=True,
)
def cut(run: Run) -> None:
    answer = run.ask(viewers=6)
    for words in range(10, 150, 10):
        answer.wait_for(words)
        run.stack.web_line.cut(subscribers=True)
        run.injected()
    run.processes_say("pub/sub connection lost, reconnecting")


@fault(
    "the subscriber's connection hangs, without a word",
    viewer="lumps, every five seconds, until the silence is noticed",
    operator="pub/sub connection lost, reconnecting: no answer to a ping",
)
def hung(run: Run) -> None:
    answer = run.ask(words=400, viewers=6)
    answer.wait_for(10)
    run.stack.web_line.silence(subscribers=True)
    run.injected()
    run.processes_say("pub/sub connection lost, reconnecting", "no answer to a ping")


Tamper = Callable[[list[bytes]], list[bytes]]
"""What becomes of the notifications that came in one go."""


def _tampered(run: Run, tamper: Callable[[Random], Tamper], logged: str = "") -> None:
    """`tamper` makes one for each connection, which has a thread and a chance of its own."""
    seed = run.random.random()
    own = threading.local()

    def carry(messages: list[bytes]) -> list[bytes]:
        if not hasattr(own, "tamper"):
            own.tamper = tamper(Random(seed))
        news = [each for each in messages if _is_news(each)]
        told: list[bytes] = own.tamper(news)
        run.injected(abs(len(told) - len(news)))
        return [each for each in messages if not _is_news(each)] + told

    run.stack.web_line.tamper = carry
    answers = [run.ask(pace=0.02 + 0.02 * number, viewers=3) for number in range(4)]
    for answer in answers:
        answer.wait_until_done()
        if logged:
            run.operator_sees(answer, logged)


class _Shuffler:
    """Holds some back, and lets them out later and in any order."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._held: list[bytes] = []

    def __call__(self, news: list[bytes]) -> list[bytes]:
        told: list[bytes] = []
        for each in news:
            (self._held if self._random.random() < 0.5 else told).append(each)
        if len(self._held) > 3:
            self._random.shuffle(self._held)
            told += self._held
            self._held = []
        return told


def _is_news(message: bytes) -> bool:
    """Whether a reply of the server's is a notification of a stream."""
    return message.startswith(b"*3\r\n$8\r\nsmessage\r\n") and b":news\r\n" in message[:120]
