"""What happens to clients and their connections."""

from collections import deque
from math import inf

from faults.catalogue import fault
from faults.run import Run
from faults.stack import now
from faults.viewer import Way
from faults.wire import Trouble
from tests.support.waiting import wait_until

NOTHING = "nothing: a client's network is no fault of the server's"
MANY = 2_000  # viewers
EVERY = 8  # bytes: somewhere in each so many, one is the last for a viewer


@fault(
    "connections are reset all over an answer: in handshakes, frames and characters",
    viewer="the text goes on where it stood",
    operator=NOTHING,
    often=True,
)
def reset_all_over(run: Run) -> None:
    """Every viewer is cut off at a byte of its own, from the first to the last that somebody undisturbed receives.

    The model waits until all are there: who comes late gets all of it in one frame.
    """
    first = run.ask(words=20, pace=0.1, viewers=0, hold=f"{run.name} first")
    undisturbed = {way: run.watch(first, way) for way in Way}
    wait_until(lambda: all(viewer.copy.epoch for viewer in first.viewers), 60, "the undisturbed to follow")
    run.stack.model.release(f"{run.name} first")
    first.wait_until_done()
    answer = run.ask(words=20, pace=0.1, viewers=1, hold=run.name)
    step = round(EVERY / run.scale)
    for way in Way:
        for place in range(1, undisturbed[way].received, step):
            offset = place + run.random.randrange(step)
            run.watch(answer, way, Trouble(cut_after=deque([offset]), at_once=True))
    wait_until(lambda: all(viewer.copy.epoch for viewer in answer.viewers), 60, "all to follow")
    run.stack.model.release(run.name)
    answer.wait_until_done()
    run.injected(sum(viewer.trouble.resets for viewer in answer.viewers))


@fault(
    "clients are cut off and come back when the answer is over",
    viewer="all that is missing at once, and the end",
    operator=NOTHING,
    often=True,
)
def back_after_the_end(run: Run) -> None:
    answer = run.ask(words=60, viewers=1)
    others = [run.watch(answer, run.random.choice(list(Way))) for _ in range(12)]
    for number, viewer in enumerate(others):
        answer.wait_for(1 + number * 3, *others[number:])
        viewer.leave()
        run.injected()
    answer.wait_until_done(answer.viewers[0])
    for viewer in others:
        viewer.come_back()


@fault(
    "a page opens a second socket while its first one still seems open",
    viewer="the text goes on where it stood",
    operator=NOTHING,
)
def second_socket(run: Run) -> None:
    answer = run.ask(viewers=6)
    for words in range(10, 100, 10):
        answer.wait_for(words)
        for viewer in answer.viewers:
            viewer.abandon()
            run.injected()


@fault(
    "a client believes to hold more than there is, or another text",
    viewer="the whole text, from its beginning",
    operator=NOTHING,
    often=True,
)
def wrong_positions(run: Run) -> None:
    other = run.ask()
    answer = run.ask(viewers=9)
    answer.wait_for(10)
    other.wait_for(10)
    for number, viewer in enumerate(answer.viewers):
        lies = [("f" * 16, viewer.copy.next_index), (other.viewers[0].copy.epoch, 3), (viewer.copy.epoch, 10**6)]
        viewer.believe(*lies[number % 3])
        run.injected()


@fault(
    "clients read nothing for a while, and then go on",
    viewer="the text as far as it was read, and then all that was missed",
    operator=NOTHING,
)
def stops_reading(run: Run) -> None:
    _stop_reading(run, 5.0)


@fault(
    "clients read nothing for a minute, and then go on",
    viewer="the text as far as it was read, and then all that was missed",
    operator=NOTHING,
    long=True,
)
def stops_reading_for_a_minute(run: Run) -> None:
    _stop_reading(run, 60.0)


def _stop_reading(run: Run, seconds: float) -> None:
    """With more than the buffers on the way can hold."""
    answer = run.ask(words=400_000, pace=0.01, together=1_000, viewers=1)
    slow = [run.watch(answer, way, Trouble(at_a_time=4_096)) for way in (*Way, *Way)]
    answer.wait_for(2_000)
    for viewer in slow:
        viewer.pause()
        run.injected()
    run.pause(seconds)
    for viewer in slow:
        viewer.resume()


@fault(
    "a client reads one byte at a time",
    viewer="the text, slowly",
    operator=NOTHING,
)
def byte_by_byte(run: Run) -> None:
    answer = run.ask(viewers=1)
    for way in Way:
        run.watch(answer, way, Trouble(at_a_time=1))
        run.injected()


@fault(
    "thousands lose their connection and come back at once",
    viewer="the text goes on where it stood",
    operator=NOTHING,
)
def herd(run: Run) -> None:
    count = run.many(MANY)
    answer = run.ask(words=100, pace=0.3, viewers=1)
    herd = [run.watch(answer, trouble=Trouble(at_once=True)) for _ in range(count)]
    answer.wait_for(3)
    cut_at = now()
    for viewer in herd:
        viewer.cut()
        run.injected()
    answer.wait_for(60)
    waited = max(viewer.back_after(cut_at) or inf for viewer in herd)
    run.note(f"{count} came back at once; the last had new text after {waited:.1f} s")
