"""`python -m faults.day`, which is `make day`: one day of a service, in two minutes, under load all the time.

It is deployed; people ask and watch; a new version takes the place of the old one, process by process; a server of the
cluster that has the streams is killed; and then everything is read back that an operator looks at. Whoever watched
must have every word, from one request to the model, and what the operator is shown must agree with it.
"""

import argparse
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx2

from faults.invariants import Verdict
from faults.leftovers import held_by, leftovers
from faults.run import Crowd, Run
from faults.stack import ADMIN_PASSWORD, METRICS_TOKEN, POSTGRESQL, SECRETS, SQLITE, WEBS, WORKERS, Stack, running_stack
from streams import keys
from tests.support.waiting import wait_until
from tests.support.web_process import PROJECT, WebProcess

AT_ONCE = 12  # answers that are being written
LONGEST = 240  # words, one every 50 ms: shorter than the grace that a worker gives them
SETTINGS = {
    "SHUTDOWN_GRACE": "25",  # seconds, as it is shipped: nothing is cut short by a deploy
    "OPENAI_MODEL": "scripted",
}
PATIENCE = 120.0  # seconds
CALM = 5.0  # seconds of nothing but load
PAUSE = 20.0  # seconds that any viewer may wait: as long as a replica may take to step in


class Load:
    """People who ask and watch, all the time, for the length of the block. One answer is being written always."""

    def __init__(self, run: Run, random: Random) -> None:
        self._run = run
        self._random = random
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._ask_forever, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody asks any more; what was begun goes on."""
        self._enough.set()
        self._thread.join()

    @property
    def running(self) -> int:
        """How many answers somebody waits for."""
        return sum(not all(viewer.is_done for viewer in answer.viewers) for answer in list(self._run.answers))

    def _ask_forever(self) -> None:
        try:
            while not self._enough.wait(0.1):
                for _ in range(AT_ONCE - self.running):
                    self._ask()
        except Exception as error:  # noqa: BLE001  the day goes on, and is not a good one
            self._run.complain(f"nobody could ask any more: {error!r}")

    def _ask(self) -> None:
        answer = self._run.ask(self._random.randrange(20, LONGEST), viewers=3)
        made = answer.asked_by.call("POST", f"/api/conversations/{answer.conversation}/shares", {})
        answer.viewers.append(self._run.watch_by_share(answer, made.json()["id"]))


class Day:
    """What happens, in this order. Each step says in a line what it did."""

    def __init__(self, stack: Stack, run: Run, load: Load, old: Path) -> None:
        self._stack = stack
        self._run = run
        self._load = load
        self._old = old
        self._began = time.monotonic()

    def pass_by(self) -> None:
        self._step("people ask and watch", self._calm)
        self._step("a new version takes the place of the web processes, one by one", self._replace_webs)
        self._step("…and of the workers", self._replace_workers)
        self._step("the server with most of the answers is killed", self._kill_primary)
        self._step("it is there again, as a replica", self._bring_back)
        self._step("people go home", self._end)
        self._step("what Prometheus is told", self._read_metrics)
        self._step("what rq-dashboard shows", self._read_dashboard)
        self._step("what the operations page shows", self._read_operations)
        self._step("what the doctor says", self._ask_doctor)

    def _step(self, what: str, act: Callable[[], str]) -> None:
        since = time.monotonic()
        said = act()
        now = time.monotonic()
        minutes, seconds = divmod(int(since - self._began), 60)
        print(f"{minutes:02}:{seconds:02}  {what}: {said} ({now - since:.0f} s)", flush=True)

    # -- the steps

    def _calm(self) -> str:
        wait_until(lambda: self._load.running >= AT_ONCE, PATIENCE, "the load")
        self._run.pause(CALM)
        return f"{self._load.running} answers are being written, of version {_version(self._old)}"

    def _replace_webs(self) -> str:
        self._stack.project = PROJECT
        for old in list(self._stack.webs):
            self._stack.start_webs(1)
            self._stack.forget_web(old)
            _leave(self._run, old)
            self._run.injected()
        return f"{len(self._stack.webs)} replaced"

    def _replace_workers(self) -> str:
        leaving = list(self._stack.workers)
        for old in leaving:
            self._stack.start_workers(1)
            old.terminate()
            self._run.injected()
        for old in leaving:
            wait_until(lambda old=old: old.process.poll() is not None, PATIENCE, "a worker to leave")  # type: ignore[misc]
            self._stack.workers.remove(old)
        return f"{len(leaving)} replaced, after they had written what they had begun"

    def _kill_primary(self) -> str:
        cluster = self._stack.cluster
        assert cluster
        wait_until(lambda: self._load.running >= AT_ONCE // 2, PATIENCE, "the load")
        running = [answer for answer in self._run.answers if not all(viewer.is_done for viewer in answer.viewers)]
        homes = [cluster.primary_of(keys.chunks(answer.stream)) for answer in running]
        victim = max(cluster.primaries, key=homes.count)
        victim.kill()
        self._run.injected()
        moved = running[homes.index(victim)].stream
        wait_until(lambda: cluster.primary_of(keys.chunks(moved)) is not victim, PATIENCE, "a replica to take over")
        return f"it had {homes.count(victim)} of {len(running)}; its replica has them now"

    def _bring_back(self) -> str:
        self._stack.heal()
        self._run.pause(CALM)
        return f"{self._load.running} answers are being written"

    def _end(self) -> str:
        self._load.stop()
        for answer in self._run.answers:
            answer.wait_until_done()
            self._run.wait_saved(answer)
        pause = self._run.longest_pause
        self._run.measure("longest that anybody waited for a next word", pause, PAUSE)
        return f"{len(self._run.answers)} answers are written"

    def _read_metrics(self) -> str:
        totals = {"rejoinder_generations_ended_total": 0.0, "rejoinder_deliveries_total": 0.0}
        running = 0.0
        for port in self._scraped():
            exposed = _metrics(port)
            running += sum(value for name, value in exposed if name == "rejoinder_generations_running")
            for name in totals:
                totals[name] += sum(value for exposed_name, value in exposed if exposed_name == name)
        if not all(totals.values()) or running:
            self._run.complain(f"the metrics say {totals}, and that {running:g} generations run")
        ended, delivered = totals.values()
        return f"the new processes have ended {ended:g} generations and made {delivered:,.0f} deliveries; none runs"

    def _scraped(self) -> list[str]:
        return [str(port) for port in self._stack.ports()] + [str(each.metrics_port) for each in self._stack.workers]

    def _read_dashboard(self) -> str:
        def queue() -> dict[str, Any]:
            [shown] = self._read("/rq/0/data/queues.json")["queues"]
            return {name.removesuffix("_job_registry_count"): count for name, count in shown.items()}

        with suppress(TimeoutError):  # RQ is told a moment after the answer was saved
            wait_until(lambda: queue()["finished"] == len(self._run.answers), 20)
        shown = queue()
        counts = {name: shown[name] for name in ("count", "started", "finished", "failed")}
        if counts != {"count": 0, "started": 0, "finished": len(self._run.answers), "failed": 0}:
            self._run.complain(f"rq-dashboard shows {counts} of {len(self._run.answers)} answers")
        return f"{counts['finished']} finished, {counts['failed']} failed, {counts['count']} queued"

    def _read_operations(self) -> str:
        def shown() -> tuple[dict[str, int], int | None, list[str]]:
            ended = {outcome: sum(counts) for outcome, counts in self._read("/api/admin/history")["ended"].items()}
            now = self._read("/api/admin/operations")
            processes = sorted(each["kind"] for each in now["processes"])
            return {outcome: count for outcome, count in ended.items() if count}, now["streams"]["total"], processes

        right = {"finished": len(self._run.answers)}, 0, ["web"] * WEBS + ["worker"] * WORKERS
        with suppress(
            TimeoutError
        ):  # processes that have left are shown for ten seconds, and totals are told every two
            wait_until(lambda: shown() == right, 20)
        ended, in_flight, processes = shown()
        if (ended, in_flight, processes) != right:
            self._run.complain(f"the operations page shows {ended}, {in_flight} in flight, {processes}; not {right}")
        return f"{ended} since the morning, {in_flight} in flight, {len(processes)} processes"

    def _ask_doctor(self) -> str:
        settings = self._stack.settings | SECRETS | {"REDIS_URL": self._stack.redis_server.url}
        ended = subprocess.run(
            [sys.executable, "-m", "rejoinder", "doctor"],
            cwd=PROJECT,
            env={"PATH": "/usr/bin:/bin", **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            said = [line for line in (ended.stdout + ended.stderr).splitlines() if not line.startswith("ok ")]
            self._run.complain("\n".join(["the doctor says:", *said]))
        return ended.stdout.rstrip().rpartition("\n")[2]

    def _read(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self._stack.ports()[0]}{path}"
        response = httpx2.get(url, auth=("admin", ADMIN_PASSWORD), timeout=30)
        response.raise_for_status()
        return response.json()


def _leave(run: Run, old: WebProcess) -> None:
    if (code := old.terminate()) != 0:
        run.complain(f"a web process left with {code}")


def _metrics(port: str) -> list[tuple[str, float]]:
    """Names and values of what is exposed at this port."""
    response = httpx2.get(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}, timeout=30
    )
    response.raise_for_status()
    return [
        (name, float(value)) for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", response.text, re.MULTILINE)
    ]


def _version(project: Path) -> str:
    described = ["git", "-C", str(project), "describe", "--always", "--dirty"]
    found = subprocess.run(described, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.day", description="One day of a service, in two minutes.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats a run; default: a new one")
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], default=POSTGRESQL)
    parser.add_argument(
        "--old", type=Path, default=PROJECT, metavar="CHECKOUT", help="the version that is replaced; default: this one"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: nothing that was started stays behind
    folder = Path(tempfile.mkdtemp(prefix="rejoinder-"))
    verdict, left = _live(folder, arguments.database, arguments.seed, arguments.old)
    harm = verdict.damage
    print(
        f"\n{verdict.words:,} words at viewers and in the database: {harm.lost} lost, {harm.repeated} repeated, "
        f"{harm.reordered + harm.garbled} reordered, {verdict.wrong_endings} wrong endings."
    )
    complaints = verdict.complaints + left
    for complaint in complaints:
        print(complaint)
    if not complaints:
        shutil.rmtree(folder)
        return 0
    print(f"Not a good day (seed {arguments.seed}). The logs of all processes are in {folder}.", file=sys.stderr)
    return 1


def _live(folder: Path, database: str, seed: int, old: Path) -> tuple[Verdict, list[str]]:
    """What became of the answers; what was left behind."""
    with running_stack(folder, database, in_cluster=True, settings=SETTINGS, project=old) as stack:
        new = held_by(stack)
        crowd = Crowd()
        run = Run(stack, crowd, "day", seed, 1.0)
        try:
            with Load(run, Random(seed)) as load:
                Day(stack, run, load, old).pass_by()
            verdict = run.settle()
            for each in run.measured:
                print(f"       {each}")
                verdict.complaints += [] if each.holds else [f"too long: {each}"]
        finally:
            run.close()
            crowd.close()
        # What another version's processes hold when they are new says nothing of this one's.
        return verdict, leftovers(stack, new) if old == PROJECT else []


if __name__ == "__main__":
    sys.exit(main())
