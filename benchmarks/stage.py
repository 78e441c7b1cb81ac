"""What every system is measured on: the same Redis, the same scripted model, the same load client, in one run."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

import streams
from benchmarks.load import Plan, Report, Target
from tests.support.redis_server import RedisServer, running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model

Json = dict[str, Any]


class System(Protocol):
    """Something that has a model asked, and shows the answer to any number of clients."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def is_socket(self) -> bool:
        """Whether a client is connected before it asks."""

    @property
    def web(self) -> list[psutil.Process]:
        """The processes that clients are connected to."""

    @property
    def workers(self) -> list[psutil.Process]:
        """Those that ask the model, where they are others."""

    def prepare(self) -> None:
        """What a client has done before it asks."""

    def begin(self, prompt: str) -> str:
        """Have this prompt answered; the stream."""
        ...

    def openings(self, stream: str) -> list[bytes]:
        """What a client sends to follow it from its beginning; see `benchmarks.load.Target`."""
        ...

    def check(self, streams: Sequence[str], words: int) -> None:
        """Raise AssertionError unless it has kept all of these answers, as far as it keeps any."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has cost, from the moment when all clients were attached to that when all had the last word."""

    web: float
    """Seconds of CPU."""
    workers: float
    commands: int
    """That Redis has run, of anybody."""
    connections: int
    """That Redis had when all were attached."""
    subscribers: int
    """Of them, those that listen to channels."""


class Stage:
    """A Redis and a model."""

    def __init__(self, folder: Path, redis_server: RedisServer, model: ScriptedModel) -> None:
        self.folder = folder
        self.redis_server = redis_server
        self.model = model
        self._numbers = itertools.count()

    def prompt(self, words: int, pace: float, *, gate: str | None = None, first: int = 1) -> str:
        """A question that the model answers with so many words, one every `pace` seconds.

        With a gate it waits behind the first so many.
        """
        text = ["{number}@{now} ".replace("{number}", str(number)) for number in range(words)]
        deltas: list[Any] = [*text[:first], {"wait": gate}, *text[first:]] if gate else list(text)
        return json.dumps({"deltas": deltas, "repeat": 1, "pace": pace})

    def watch(
        self, system: System, *, streams: int = 1, viewers: int = 1, words: int = 100, pace: float = 0.02
    ) -> tuple[Report, Spent]:
        """So many streams, each with so many viewers who are there before its second word."""
        gate = f"gate {next(self._numbers)}"
        prompt = self.prompt(words, pace, gate=gate)
        asked = [system.begin(prompt) for _ in range(streams)]
        targets = [Target(system.port, system.openings(stream), viewers) for stream in asked]
        with self.load(Plan(targets, words)) as load:
            load.wait("attached")
            before = self._counted(system)
            self.model.release(gate, streams)
            load.wait("done")
            after = self._counted(system)
            report = load.report()
        system.check(asked, words)
        spent = Spent(
            after[0] - before[0], after[1] - before[1], int(after[2] - before[2]), int(before[3]), int(before[4])
        )
        return report, spent

    @contextmanager
    def load(self, plan: Plan) -> Iterator["LoadClient"]:
        """The load client, at work on this plan, for the length of the block."""
        command = [sys.executable, "-m", "benchmarks.load"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdin
                process.stdin.write(plan.dumps() + "\n")
                process.stdin.flush()
                yield LoadClient(process)
            finally:
                process.kill()

    def _counted(self, system: System) -> tuple[float, ...]:
        with streams.connect(self.redis_server.url) as client:
            commands = client.info("stats")["total_commands_processed"]
            clients = client.client_list()
        listening = sum(any(int(each[kind]) for kind in ("sub", "psub", "ssub")) for each in clients)
        return cpu_seconds(system.web), cpu_seconds(system.workers), commands, len(clients) - 1, listening


class LoadClient:
    """Another process: `benchmarks/load.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def wait(self, word: str) -> None:
        """Until it says this. Raises RuntimeError if it says something else."""
        said = self._line()
        if said != word:
            raise RuntimeError(f"the load client said {said!r}, not {word!r}")

    def report(self) -> Report:
        """What it has found."""
        return Report(**json.loads(self._line()))

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """User and system time so far, of the children too that have ended: a forking worker's do the work."""
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system + each.children_user + each.children_system for each in times))


def megabytes(processes: Sequence[psutil.Process]) -> float:
    """Resident memory."""
    return float(sum(process.memory_info().rss for process in processes) / 1e6)


@contextmanager
def running_stage(folder: Path) -> Iterator[Stage]:
    """A stage for the length of the block."""
    with ExitStack() as services:
        redis_server = services.enter_context(running_redis())
        model = services.enter_context(running_scripted_model())
        yield Stage(folder, redis_server, model)
