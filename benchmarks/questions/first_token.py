"""How long after a click the first word is there, idle and while many other answers are written."""

import re
import socket
import time
from collections.abc import Collection, Iterable

from benchmarks.load import Plan, Target, middle_and_late
from benchmarks.questions.fan_out import Start
from benchmarks.stage import Stage, System
from benchmarks.table import Table

TIMES = 50
RUNNING = 200
WORDS, PACE = 200, 0.1  # of those that run meanwhile
SEEN = "seen"  # a gate
FIRST = re.compile(rb"0@(\d+\.\d+) ")


def first_token(stage: Stage, systems: Iterable[Start], *, loaded: Collection[str]) -> Table:
    """The time from the request that asks to the first text at the client, of which the model takes none.

    `loaded` are the names of those that are asked while they write 200 other answers, too.
    """
    table = Table(
        "first-token",
        "First token: from the click to the first text",
        ("system", "other answers", "times", "p50 ms", "p99 ms", "more than direct, p50 ms"),
    )
    table.begin()
    base = None
    for start in systems:
        with start() as system:
            stage.watch(system, words=5)  # whatever is made at the first time
            p50, p99 = middle_and_late([_ask(stage, system) for _ in range(TIMES)])
            base = base or p50
            table.add(system.name, 0, TIMES, p50, p99, p50 - base)
            if system.name in loaded:
                p50, p99 = middle_and_late(_ask_meanwhile(stage, system))
                table.add(system.name, RUNNING, TIMES, p50, p99, p50 - base)
    return table


def _ask_meanwhile(stage: Stage, system: System) -> list[float]:
    gate = "others"
    asked = [system.begin(stage.prompt(WORDS, PACE, gate=gate)) for _ in range(RUNNING)]
    with stage.load(Plan([Target(system.port, system.openings(each), 1) for each in asked], WORDS)) as load:
        load.wait("attached")
        stage.model.release(gate, RUNNING)
        took = [_ask(stage, system) for _ in range(TIMES)]
        load.wait("done")
    return took


def _ask(stage: Stage, system: System) -> float:
    """Milliseconds. The page's socket is open already; others connect when they know what to follow."""
    system.prepare()
    with socket.socket() as line:
        line.connect(("127.0.0.1", system.port))
        line.settimeout(60)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        greeting, *_ = system.openings("") if system.is_socket else [b""]
        if greeting:
            line.sendall(greeting)
            line.recv(65_536)
        begun = time.perf_counter()
        # It does not end before its first word is there: some know a stream no longer that is over.
        stream = system.begin(stage.prompt(2, 0, gate=SEEN))
        for opening in system.openings(stream)[bool(greeting) :]:
            line.sendall(opening)
        received = b""
        while not FIRST.search(received):
            data = line.recv(65_536)
            if not data:
                raise RuntimeError(f"{system.name} closed the connection after {received!r}")
            received += data
        took = time.perf_counter() - begun
        stage.model.release(SEEN)
    return 1000 * took
