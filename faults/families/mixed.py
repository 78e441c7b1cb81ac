"""All of it at once: people ask, watch, stop and come back while one part after the other is broken."""

import time
from collections.abc import Callable

import sqlalchemy

from faults.catalogue import fault
from faults.run import Answer, Run
from faults.viewer import Way
from faults.wire import Trouble
from tests.support.fault_proxy import Fault

DURATION = 60.0  # seconds
AT_ONCE = 6  # answers that are being written
APART = (
    8.0  # seconds between the loss of a worker and the loss of what Redis holds: both at once lose text, as they must
)


@fault(
    "everything at once",
    viewer="answers, whole, stopped, or interrupted with all that was seen of them",
    operator="nothing that the others do not say",
)
def everything(run: Run) -> None:
    Storm(run).rage(DURATION * run.scale)


class Storm:
    """Breaks one thing after the other. The first web process and the first worker are never killed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lost_worker = self._lost_data = -APART
        self._menu: list[Callable[[], None]] = [
            self._cut_viewers,
            self._lose_news,
            self._cut_subscribers,
            self._hang_subscribers,
            self._break_calls,
            self._pause_redis,
            self._restart_redis,
            self._flush_redis,
            self._lock_database,
            self._kill_web,
            self._replace_web,
            self._kill_worker,
            self._replace_worker,
            self._stop_an_answer,
        ]

    def rage(self, seconds: float) -> None:
        """Break something every second or so, and ask all the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._ask()
            self._run.random.choice(self._menu)()
            self._run.injected()
            self._run.pause(self._run.random.random())

    def _ask(self) -> None:
        running = [answer for answer in self._run.answers if not all(viewer.is_done for viewer in answer.viewers)]
        for _ in range(AT_ONCE - len(running)):
            answer = self._run.ask(words=self._run.random.randrange(20, 300), pace=0.03)
            answer.expect("finished", "interrupted", whole=False, requests=range(1, 3))

    def _some_answer(self) -> Answer:
        return self._run.random.choice(self._run.answers[-AT_ONCE:])

    def _cut_viewers(self) -> None:
        answer = self._some_answer()
        for viewer in answer.viewers:
            viewer.cut()
        self._run.watch(answer, self._run.random.choice(list(Way)), Trouble(at_once=True))

    def _lose_news(self) -> None:
        random = self._run.random
        self._run.stack.web_line.tamper = lambda messages: [each for each in messages if random.random() > 0.3]
        self._run.pause(1.0)
        self._run.stack.web_line.tamper = None

    def _cut_subscribers(self) -> None:
        self._run.stack.web_line.cut(subscribers=True)

    def _hang_subscribers(self) -> None:
        self._run.stack.web_line.silence(subscribers=True)

    def _break_calls(self) -> None:
        for line in (self._run.stack.web_line, self._run.stack.worker_line):
            line.script.extend(self._run.random.choices([Fault.CUT_BEFORE, Fault.CUT_AFTER], k=5))

    def _pause_redis(self) -> None:
        self._run.stack.redis_server.pause()
        self._run.pause(self._run.random.random() * 2)
        self._run.stack.redis_server.resume()

    def _restart_redis(self) -> None:
        self._run.stack.redis_server.kill()
        self._run.pause(self._run.random.random())
        self._run.stack.redis_server.start()

    def _flush_redis(self) -> None:
        if time.monotonic() - self._lost_worker > APART:
            self._lost_data = time.monotonic()
            self._run.stack.redis.flushall()

    def _lock_database(self) -> None:
        with self._run.database.connect() as connection:
            if self._run.database.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(sqlalchemy.text("LOCK TABLE messages IN EXCLUSIVE MODE"))
            self._run.pause(1.0)
            connection.rollback()

    def _kill_web(self) -> None:
        web = self._run.stack.webs[-1]
        self._run.stack.forget_web(web)
        web.kill()
        self._run.stack.heal()

    def _replace_web(self) -> None:
        old = self._run.stack.webs[-1]
        self._run.stack.forget_web(old)
        old.terminate()
        self._run.stack.heal()

    def _kill_worker(self) -> None:
        if time.monotonic() - self._lost_data > APART:
            self._lost_worker = time.monotonic()
            self._run.stack.workers[-1].kill()
            self._run.stack.heal()

    def _replace_worker(self) -> None:
        self._run.stack.workers[-1].terminate()
        self._run.stack.workers[-1].wait()
        self._run.stack.heal()

    def _stop_an_answer(self) -> None:
        answer = self._some_answer()
        answer.expect("finished", "interrupted", "cancelled", whole=False, requests=range(3))
        answer.asked_by.stop(answer.stream)
