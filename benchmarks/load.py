"""The load client, in a process of its own: many connections that receive, and what came over them, counted.

It knows nothing of the systems that it measures. It sends the bytes it is given and looks in what comes for *words*,
`17@1732468000.123456 `: a number and the moment (Unix time) at which the model sent it. So the same client serves
WebSockets, server-sent events and plain text, and costs the same beside each.

While it measures it only stores what it receives, with the moment. What the words say is worked out afterwards.

    python -m benchmarks.load < plan.json

prints `attached` when every connection has its first word, `done` when every connection has the last (or was closed),
and then a line of JSON.
"""

import base64
import json
import re
import selectors
import socket
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate, pairwise
from statistics import quantiles
from typing import Any

WORD = re.compile(rb"(\d+)@(\d+\.\d+) ")
RECEIVE = 262_144  # bytes at a time


@dataclass(frozen=True, slots=True)
class Target:
    """Connections that do the same."""

    port: int
    openings: list[bytes]
    """What to send: the first at once, each other when something has come in answer to the one before."""
    count: int
    first: int = 0
    """The number of the first word that has to come."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run of the load client is to do."""

    targets: list[Target]
    words: int
    """How many the answer has in all."""
    live_from: int = 1
    """The number of the first word that is sent when all are attached: of it and those behind it delays are told."""
    last: str = ""
    """What a connection that has it has all of it; by default, the last word."""
    patience: float = 300.0
    at_once: int = 50
    """How many connections are being opened at the same time."""

    def dumps(self) -> str:
        """As a line of JSON."""
        plan = asdict(self)
        for target in plan["targets"]:
            target["openings"] = [base64.b64encode(opening).decode() for opening in target["openings"]]
        return json.dumps(plan)

    @classmethod
    def loads(cls, line: str) -> "Plan":
        plan = json.loads(line)
        for target in plan["targets"]:
            target["openings"] = [base64.b64decode(opening) for opening in target["openings"]]
        return cls(**{**plan, "targets": [Target(**target) for target in plan["targets"]]})


@dataclass(slots=True)
class Report:
    """What came."""

    connections: int
    whole: int
    """Connections that have every word once, in order."""
    deliveries: int
    """Words, over all connections, that were sent when all were attached."""
    reads: int
    bytes: int
    p50: float
    """Milliseconds from the model to the client."""
    p99: float
    longest: float
    gap_p99: float
    """Milliseconds between two arrivals at one connection."""
    attach_p50: float
    """Milliseconds from the connecting to the first word."""
    attach_last: float
    """Milliseconds from the first connecting until all had the last word."""
    cpu: float
    """Seconds of CPU that this client took, from `attached` to `done`."""
    cpu_in_all: float
    """… and from the first connecting on."""


@dataclass(slots=True, eq=False)
class Connection:
    target: Target
    sock: socket.socket
    begun: float
    sent: int = 0
    received: list[bytes] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    attached: float = 0.0
    is_done: bool = False


class Load:
    """Runs one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._selector = selectors.DefaultSelector()
        most = max((target.count for target in plan.targets), default=0)
        # In turn, so that those who want the same thing do not come together by more than chance.
        self._waiting = [target for turn in range(most) for target in plan.targets if turn < target.count][::-1]
        self._connections: list[Connection] = []
        self._opening = self._attached = self._done = 0
        last = re.escape(plan.last) if plan.last else rf"(?<!\d){plan.words - 1}@\d+\.\d+ "
        self._last = re.compile(last.encode())

    def run(self) -> Report:
        """Until every connection has all of it. Raises TimeoutError."""
        begun, total = time.time(), len(self._waiting)
        deadline = begun + self._plan.patience
        cpu = cpu_begun = time.process_time()
        told = False
        while self._done < total:
            while self._waiting and self._opening < self._plan.at_once:
                self._open(self._waiting.pop())
            for key, _ in self._selector.select(1.0):
                self._read(key.data)
            if not told and self._attached + self._done >= total and not self._waiting:
                told = True
                cpu = time.process_time()
                print("attached", flush=True)
            if time.time() > deadline:
                raise TimeoutError(f"{self._attached} of {total} attached, {self._done} done")
        cpu, cpu_in_all = time.process_time() - cpu, time.process_time() - cpu_begun
        ended = time.time()
        print("done", flush=True)
        return self._report(cpu, cpu_in_all, 1000 * (ended - begun))

    def _open(self, target: Target) -> None:
        sock = socket.create_connection(("127.0.0.1", target.port), timeout=60)
        sock.setblocking(False)
        connection = Connection(target, sock, time.time())
        sock.sendall(target.openings[0])
        connection.sent = 1
        self._opening += 1
        self._connections.append(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        now = time.time()
        if not data:
            self._end(connection)
            return
        connection.received.append(data)
        connection.moments.append(now)
        if connection.sent < len(connection.target.openings):
            connection.sock.sendall(connection.target.openings[connection.sent])
            connection.sent += 1
        if not connection.attached and WORD.search(b"".join(connection.received)):
            connection.attached = now
            self._attached += 1
            self._opening -= 1
        if self._last.search(b"".join(connection.received[-2:])):
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        if not connection.is_done:
            connection.is_done = True
            self._done += 1
            self._attached -= bool(connection.attached)
            self._opening -= not connection.attached
        self._selector.unregister(connection.sock)
        connection.sock.close()

    def _report(self, cpu: float, cpu_in_all: float, took: float) -> Report:
        delays: list[float] = []
        gaps: list[float] = []
        whole = 0
        for connection in self._connections:
            ends = list(accumulate(map(len, connection.received)))
            numbers = []
            for word in WORD.finditer(b"".join(connection.received)):
                number = int(word[1])
                numbers.append(number)
                if number >= self._plan.live_from:
                    arrived = connection.moments[bisect_left(ends, word.end())]
                    delays.append(1000 * (arrived - float(word[2])))
            whole += numbers == list(range(connection.target.first, self._plan.words))
            live = connection.moments[1:]
            gaps += [1000 * (later - earlier) for earlier, later in pairwise(live)]
        p50, p99 = middle_and_late(delays)
        attach = [1000 * (connection.attached - connection.begun) for connection in self._connections]
        return Report(
            connections=len(self._connections),
            whole=whole,
            deliveries=len(delays),
            reads=sum(len(connection.moments) for connection in self._connections),
            bytes=sum(map(len, (data for connection in self._connections for data in connection.received))),
            p50=p50,
            p99=p99,
            longest=max(delays, default=0.0),
            gap_p99=middle_and_late(gaps)[1],
            attach_p50=middle_and_late(attach)[0],
            attach_last=took,
            cpu=cpu,
            cpu_in_all=cpu_in_all,
        )


def middle_and_late(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile; of few values, the largest."""
    if len(values) < 2:
        only = values[0] if values else 0.0
        return only, only
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


def main() -> None:
    plan: Any = Plan.loads(sys.stdin.readline())
    print(json.dumps(asdict(Load(plan).run())), flush=True)


if __name__ == "__main__":
    main()
