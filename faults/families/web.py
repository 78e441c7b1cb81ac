"""What happens to web processes."""

import signal
import statistics

from faults.catalogue import fault
from faults.run import Answer, Run
from faults.stack import now
from tests.support.web_process import WebProcess

MANY = 1_000  # sockets, half of them on either process
GOES_ON = 2.0  # seconds until new text, once another web process can be reached
THOUSAND = 4.0  # seconds for the last of five hundred who come to one process at once: each takes 3 ms of its core
SPREAD = 2.0  # seconds over which those come back who were told of a restart, so that not all come at once


@fault(
    "a web process is killed with open sockets",
    viewer="the text goes on where it stood, on the other process",
    operator="nothing: it is dead",
    often=True,
)
def killed(run: Run) -> None:
    answer = run.ask(viewers=30)
    answer.wait_for(5)
    killed_at = now()
    _take_out(run).kill()
    run.injected()
    answer.wait_until_done()
    _measure(run, killed_at, GOES_ON)


@fault(
    "a web process is killed with a thousand sockets open",
    viewer="the text goes on where it stood, on the other process",
    operator="nothing: it is dead",
)
def killed_with_a_thousand(run: Run) -> None:
    answer = _watched(run, words=60)
    killed_at = now()
    _take_out(run).kill()
    run.injected()
    answer.wait_until_done()
    _measure(run, killed_at, THOUSAND)


@fault(
    "web processes are replaced one by one (SIGTERM) with open sockets",
    viewer="the text goes on where it stood, on another process",
    operator="closed … connections: The server restarts. Come back.",
    often=True,
    replaces=True,
)
def replaced(run: Run) -> None:
    answer = _watched(run, words=120)
    for old in list(run.stack.webs):
        run.stack.start_webs(1)
        left_at = now()
        run.stack.forget_web(old)
        old.terminate()
        run.injected()
        answer.wait_for(40 * run.times)
        _measure(run, left_at, SPREAD + GOES_ON)
    answer.wait_until_done()
    run.processes_say("closed", "connections: The server restarts")


@fault(
    "the event loop of a web process is blocked for seconds",
    viewer="a pause, and then what was missed",
    operator="nothing",
)
def blocked(run: Run) -> None:
    answer = run.ask(viewers=12)
    for words in (10, 60):
        answer.wait_for(words)
        for pid in run.stack.webs[0].children():
            pid.send_signal(signal.SIGSTOP)
        run.injected()
        run.pause(2.0)
        for pid in run.stack.webs[0].children():
            pid.send_signal(signal.SIGCONT)


def _watched(run: Run, words: int) -> Answer:
    """An answer in the middle, with a thousand sockets open."""
    answer = run.ask(words, 0.25, viewers=30)
    for _ in range(run.many(MANY)):
        run.watch(answer)
    answer.wait_for(5)
    return answer


def _take_out(run: Run) -> WebProcess:
    web = run.random.choice(run.stack.webs)
    run.stack.forget_web(web)
    return web


def _measure(run: Run, since: float, bound: float) -> None:
    viewers = [viewer for answer in run.answers for viewer in answer.viewers]
    waited = [back for viewer in viewers if (back := viewer.back_after(since)) is not None]
    run.note(f"…and for half of these {len(waited)}: {statistics.median(waited):.2f} s")
    run.measure(f"from the loss of a web process to new text for the last of {len(waited)}", max(waited), bound)
