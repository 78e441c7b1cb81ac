"""All of it at once: people ask, watch, stop and come back while one part after the other is broken."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import sqlalchemy

from faults.catalogue import fault
from faults.run import PACE, Answer, Run
from faults.stack import SETTINGS, wake
from faults.viewer import Way
from faults.wire import Trouble
from faults.words import beginning, text_of
from streams import StreamSettings, keys
from tests.support.fault_proxy import Fault
from tests.support.worker_process import WorkerProcess

DURATION = 60.0  # seconds
AT_ONCE = 6  # answers that are being written
# Seconds between the loss of a worker and the loss of what Redis holds: both at once lose text, as they must.
APART = 8.0
SHORT = 2.0  # seconds that Redis is away at the longest: half of a lease
CHECKPOINT, LATE = (
    float(SETTINGS["CHECKPOINT_INTERVAL"]),
    1.0,
)  # seconds between two; that one may take on a busy machine
FAILING = 0.1  # of the answers end because the model fails


@fault(
    "everything at once",
    viewer="answers, whole, stopped, failed, or interrupted with all that was seen of them",
    operator="nothing that the others do not say",
)
def everything(run: Run) -> None:
    Storm(run).rage(DURATION * run.scale)


@fault(
    "a worker and all that Redis holds are lost in the same moment",
    viewer="the answer up to its last checkpoint, marked as interrupted",
    operator="stream vanished",
)
def both_lost(run: Run) -> None:
    """The one loss that text does not survive: nobody else had what was written since the checkpoint."""
    answers = [run.ask() for _ in range(4)]
    for answer in answers:
        answer.wait_for(60)
    worker = run.stack.worker_of(answers[0].stream)
    hit = [answer for answer in answers if run.stack.worker_of(answer.stream) is worker]
    worker.process.send_signal(signal.SIGSTOP)
    run.stack.redis.flushall()
    worker.kill()
    run.injected()
    for answer in hit:
        answer.expect("interrupted", whole=False, forgets=True)
        had = max(beginning(viewer.text) for viewer in answer.viewers)
        answer.wait_until_done()
        run.operator_sees(answer, "stream vanished")
        kept = min(beginning(viewer.text) for viewer in answer.viewers)
        run.measure("of an answer that is lost with its worker and Redis", (had - kept) * PACE, CHECKPOINT + LATE)


class Storm:
    """Three at work: one asks all the time; one breaks connections and stops answers; one breaks servers.

    The first web process and the first worker are never killed. Each answer may end as its own fate allows: only one
    whose worker was taken from it may be interrupted, or asked for twice.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._fates = threading.Lock()
        self._deadline = 0.0

    def rage(self, seconds: float) -> None:
        """Return when the time is over and everything that was begun is done."""
        self._deadline = time.monotonic() + seconds
        connections, servers = (Random(self.run.random.random()) for _ in range(2))
        with ThreadPoolExecutor() as hands:
            work = [
                hands.submit(self._break, _Connections(self, connections).menu, connections),
                hands.submit(self._break, _Servers(self, servers).menu, servers),
            ]
            while time.monotonic() < self._deadline:
                self._ask()
                self.run.pause(0.1)
        for broken in work:
            self.run.injected(broken.result())

    def _break(self, menu: Sequence[Callable[[], bool]], random: Random) -> int:
        """One thing every second or so. Returns how often that did something."""
        times = 0
        while time.monotonic() < self._deadline:
            times += random.choice(menu)()
            self.run.pause(random.random())
        return times

    def _ask(self) -> None:
        running = [answer for answer in self.run.answers if not all(viewer.is_done for viewer in answer.viewers)]
        for _ in range(AT_ONCE - len(running)):
            words = self.run.random.randrange(20, 300)
            if self.run.random.random() < FAILING:
                deltas = [*(text_of(1, number) for number in range(words)), {"cut": True}]
                self.run.ask(words, 0.03, deltas=deltas, repeat=1).expect("failed")
            else:
                self.run.ask(words, 0.03)

    # -- for those who break

    def some_answer(self, random: Random) -> Answer | None:
        """One of the last."""
        return random.choice(self.run.answers[-AT_ONCE:]) if self.run.answers else None

    def allow(self, answer: Answer, outcome: str, requests: range) -> None:
        """From now on it may end like this too, with a part of its text, after so many requests."""
        with self._fates:
            before = answer.expected
            answer.expect(
                *before.outcomes,
                outcome,
                whole=False,
                requests=range(min(before.requests.start, requests.start), max(before.requests.stop, requests.stop)),
            )


class _Connections:
    """Between clients, web processes, workers and Redis."""

    def __init__(self, storm: Storm, random: Random) -> None:
        self._storm = storm
        self._run = storm.run
        self._random = random
        self.menu = (
            self._cut_viewers,
            self._stop_reading,
            self._lose_news,
            self._cut_subscribers,
            self._hang_subscribers,
            self._break_calls,
            self._stop_an_answer,
        )

    def _cut_viewers(self) -> bool:
        answer = self._storm.some_answer(self._random)
        if answer is None:
            return False
        for viewer in answer.viewers:
            viewer.cut()
        self._run.watch(answer, self._random.choice(list(Way)), Trouble(at_once=True))
        return True

    def _stop_reading(self) -> bool:
        answer = self._storm.some_answer(self._random)
        if answer is None:
            return False
        viewer = self._run.watch(answer)
        viewer.pause()
        self._run.pause(1.0)
        viewer.resume()
        return True

    def _lose_news(self) -> bool:
        self._run.stack.web_line.tamper = lambda messages: [each for each in messages if self._random.random() > 0.3]
        self._run.pause(1.0)
        self._run.stack.web_line.tamper = None
        return True

    def _cut_subscribers(self) -> bool:
        self._run.stack.web_line.cut(subscribers=True)
        return True

    def _hang_subscribers(self) -> bool:
        self._run.stack.web_line.silence(subscribers=True)
        return True

    def _break_calls(self) -> bool:
        for line in (self._run.stack.web_line, self._run.stack.worker_line):
            line.script.extend(self._random.choices([Fault.CUT_BEFORE, Fault.CUT_AFTER], k=5))
        return True

    def _stop_an_answer(self) -> bool:
        answer = self._storm.some_answer(self._random)
        if answer is None:
            return False
        self._storm.allow(answer, "cancelled", range(1))
        answer.asked_by.stop(answer.stream)
        return True


class _Servers:
    """Redis, the database, web processes and workers."""

    def __init__(self, storm: Storm, random: Random) -> None:
        self._storm = storm
        self._run = storm.run
        self._stack = storm.run.stack
        self._random = random
        self._lost_worker = self._lost_data = -APART
        self.menu = (
            self._pause_redis,
            self._restart_redis,
            self._fill_redis,
            self._demote_redis,
            self._flush_redis,
            self._evict_keys,
            self._lock_database,
            self._kill_web,
            self._replace_web,
            self._kill_worker,
            self._replace_worker,
            self._put_worker_to_sleep,
        )

    def _for_a_while(self) -> None:
        self._run.pause(self._random.random() * SHORT)

    def _pause_redis(self) -> bool:
        self._stack.redis_server.pause()
        self._for_a_while()
        self._stack.redis_server.resume()
        return True

    def _restart_redis(self) -> bool:
        self._stack.redis_server.kill()
        self._for_a_while()
        self._stack.redis_server.start()
        return True

    def _fill_redis(self) -> bool:
        self._stack.redis.config_set("maxmemory", 1)
        self._for_a_while()
        self._stack.redis.config_set("maxmemory", 0)
        return True

    def _demote_redis(self) -> bool:
        self._stack.redis.replicaof("127.0.0.1", "1")
        self._for_a_while()
        self._stack.redis.replicaof("NO", "ONE")
        return True

    def _flush_redis(self) -> bool:
        if not self._may_lose_data():
            return False
        self._stack.redis.flushall()
        return True

    def _evict_keys(self) -> bool:
        answer = self._storm.some_answer(self._random)
        if answer is None or not self._may_lose_data():
            return False
        return bool(self._stack.redis.delete(self._random.choice([keys.chunks, keys.state])(answer.stream)))

    def _may_lose_data(self) -> bool:
        if time.monotonic() - self._lost_worker < APART:
            return False
        self._lost_data = time.monotonic()
        return True

    def _lock_database(self) -> bool:
        with self._run.database.connect() as connection:
            if self._run.database.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(sqlalchemy.text("LOCK TABLE messages IN EXCLUSIVE MODE"))
            self._for_a_while()
            connection.rollback()
        return True

    def _kill_web(self) -> bool:
        web = self._stack.webs[-1]
        self._stack.forget_web(web)
        web.kill()
        self._stack.start_webs(1)
        return True

    def _replace_web(self) -> bool:
        old = self._stack.webs[-1]
        self._stack.start_webs(1)
        self._stack.forget_web(old)
        old.terminate()
        return True

    def _kill_worker(self) -> bool:
        worker = self._take_a_worker()
        if worker is None:
            return False
        worker.kill()
        self._stack.workers.remove(worker)
        self._stack.start_workers(1)
        return True

    def _replace_worker(self) -> bool:
        worker = self._take_a_worker()
        if worker is None:
            return False
        worker.terminate()
        worker.resume()
        worker.wait()
        self._stack.workers.remove(worker)
        self._stack.start_workers(1)
        return True

    def _put_worker_to_sleep(self) -> bool:
        worker = self._take_a_worker()
        if worker is None:
            return False
        self._run.pause(StreamSettings().lease + SHORT)
        wake(worker.process.pid)
        self._lost_worker = time.monotonic()
        return True

    def _take_a_worker(self) -> WorkerProcess | None:
        """Freeze one, and let its answers end as those do whose worker is lost. None: not so soon after data was."""
        if time.monotonic() - self._lost_data < APART:
            return None
        self._lost_worker = time.monotonic()
        worker = self._stack.workers[-1]
        worker.process.send_signal(signal.SIGSTOP)
        for answer in self._run.answers:
            if self._stack.may_be_with(worker, answer.stream):
                self._storm.allow(answer, "interrupted", range(1, 3))
        return worker
