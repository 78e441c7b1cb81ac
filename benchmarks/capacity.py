"""How much fits into one worker process and one web process? `make bench`, or `python -m benchmarks.capacity`.

Two tables, on a real Redis, a real worker, a real web process and a scripted model behind HTTP:

1. generations running at once in one worker process, beside one of them alone;
2. viewers of one stream in one web process, beside one of them alone.

Every run is judged as the fault suite judges (faults/invariants.py): each viewer, and the database, has all of it.
Costs are CPU time of the process (user and system), told per unit and as a ratio to the first row: the clock on the
wall means nothing on a machine that is shared.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psutil
import redis

import streams
from faults.invariants import Expected, Saved, Seen, judge
from faults.records import open_records, saved_answers
from faults.words import WORD
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.visitor import Answer, Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker

PATIENCE = 600.0  # seconds for one row, on a machine that is busy with other things
SAMPLING = 0.05  # seconds between looks at how many run at once: a measurement, not a wait
QUEUE = "generations"


class Stack:
    """One of everything, started once for all rows."""

    def __init__(self, folder: Path, services: ExitStack) -> None:
        self.server = services.enter_context(running_redis())
        self.redis = services.enter_context(streams.connect(self.server.url))
        self.model: ScriptedModel = services.enter_context(running_scripted_model())
        database_url = migrated(new_sqlite(folder))
        self._records = open_records(database_url)
        common = {"STREAM_LEASE": "60"}  # a machine that is busy measuring is not a dead worker
        self.worker = services.enter_context(
            running_worker(
                folder,
                REDIS_URL=self.server.url,
                DATABASE_URL=database_url,
                OPENAI_BASE_URL=self.model.base_url,
                WORKER_CONCURRENCY="1000",
                **common,
            )
        )
        self.web = services.enter_context(
            running_web(
                redis_url=self.server.url, database_url=database_url, log=folder / "web.log", environment=common
            )
        )

    @property
    def worker_process(self) -> psutil.Process:
        return psutil.Process(self.worker.process.pid)

    @property
    def web_process(self) -> psutil.Process:
        [child] = psutil.Process(self.web.process.pid).children()
        return child

    def saved(self, answer: Answer) -> list[Saved]:
        """What the database has of it."""
        return saved_answers(self._records, answer.stream)

    def all_saved(self, answers: Sequence[Answer]) -> bool:
        return all(self.saved(answer) for answer in answers)

    def subscribers(self) -> int:
        """How many connections listen to channels, counted where Redis counts them."""
        return sum(int(connection["sub"]) > 0 for connection in self.redis.client_list())


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 1e6)


def generations(stack: Stack, counts: list[int], deltas: int, pace: float) -> None:
    """Table 1. Each generation is its own conversation, as if each had its own person."""
    print(f"Generations at once in one worker process ({deltas} deltas each, one every {pace * 1000:.0f} ms)\n")
    header = ("at once", "finished", "whole text", "most running", "requests", "CPU ms/generation", "ratio", "RSS MB")
    print(_row(header))
    alone: float | None = None
    visitor = Visitor(stack.web.url)
    visitor.ask("warm up", {"deltas": ["x"]}).wait(PATIENCE)
    for count in counts:
        asked_before = len(stack.model.requests())
        spent = cpu_seconds(stack.worker_process)
        script = {"deltas": [WORD], "repeat": deltas, "pace": pace}
        asked = [visitor.ask(f"generation {number}", script) for number in range(count)]
        most = 0
        deadline = time.monotonic() + PATIENCE
        while not all(answer.ended for answer in asked) and time.monotonic() < deadline:
            most = max(most, _running(stack.redis))
            time.sleep(SAMPLING)
        spent = (cpu_seconds(stack.worker_process) - spent) * 1000 / count
        alone = alone or spent
        requests = len(stack.model.requests()) - asked_before
        read = [answer.recording() for answer in asked]
        seen = [Seen("a reader", each["text"], (each["end"] or {}).get("outcome")) for each in read]
        wait_until(partial(stack.all_saved, asked), PATIENCE, "every answer to be saved")
        verdicts = [
            judge(answer.stream, deltas, Expected(), 1, [has], stack.saved(answer))
            for answer, has in zip(asked, seen, strict=True)
        ]
        complaints = [complaint for verdict in verdicts for complaint in verdict.complaints]
        finished = sum(has.outcome == "finished" for has in seen)
        whole = sum(not verdict.damage for verdict in verdicts)
        cells = (count, finished, whole, most, requests, f"{spent:.1f}", f"{spent / alone:.2f}")
        print(_row((*cells, f"{megabytes(stack.worker_process):.0f}")), flush=True)
        if requests != count:
            complaints.append(f"the model was asked {requests} times for {count} answers")
        if complaints:
            raise SystemExit("\n".join(complaints))


def viewers(stack: Stack, counts: list[int], deltas: int, pace: float) -> None:
    """Table 2. The viewers are in a process of their own, so that their cost is not the web process's."""
    print(f"\nViewers of one stream in one web process ({deltas} deltas, one every {pace * 1000:.0f} ms)\n")
    header = ("viewers", "whole text", "frames", "subscriber conns", "CPU us/frame", "ratio", "RSS MB")
    print(_row(header))
    alone: float | None = None
    visitor = Visitor(stack.web.url)
    others = stack.subscribers()  # the worker's: it listens for stops. The web process has nothing to listen to yet
    for count in counts:
        answer = visitor.ask("watched", {"hold": "start", "deltas": [WORD], "repeat": deltas, "pace": pace})
        with _crowd(stack.web.url, visitor.cookie, answer.stream, count) as crowd:
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == "connected\n"
            subscribed = stack.subscribers() - others
            spent = cpu_seconds(stack.web_process)
            stack.model.release("start")
            result = json.loads(crowd.stdout.readline())
            spent = (cpu_seconds(stack.web_process) - spent) * 1e6 / result["frames"]
        alone = alone or spent
        wait_until(partial(stack.all_saved, [answer]), PATIENCE, "the answer to be saved")
        seen = [
            Seen(f"{times} viewers", text, outcome, broken=[broken] if broken else [])
            for (text, outcome, broken), times in result["seen"]
        ]
        verdict = judge(answer.stream, deltas, Expected(), 1, seen, stack.saved(answer))
        whole = count if not verdict.damage else 0
        cells = (count, whole, result["frames"], subscribed, f"{spent:.1f}", f"{spent / alone:.2f}")
        print(_row((*cells, f"{megabytes(stack.web_process):.0f}")), flush=True)
        if subscribed != 1:
            verdict.complaints.append(f"{subscribed} connections subscribe, not one")
        if verdict.complaints:
            raise SystemExit("\n".join(verdict.complaints))


@contextmanager
def _crowd(url: str, cookie: str, stream: str, count: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "benchmarks.crowd", url, cookie, stream, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _running(client: "redis.Redis") -> int:
    return int(client.zcard(f"rq:wip:{QUEUE}"))


def _row(cells: tuple[object, ...]) -> str:
    return "  ".join(f"{cell!s:>17}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--generations", type=int, nargs="+", default=[1, 10, 200])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--deltas", type=int, default=100)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds between deltas")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rejoinder-") as folder, ExitStack() as services:
        stack = Stack(Path(folder), services)
        generations(stack, arguments.generations, arguments.deltas, arguments.pace)
        viewers(stack, arguments.viewers, arguments.deltas, arguments.pace)


if __name__ == "__main__":
    main()
