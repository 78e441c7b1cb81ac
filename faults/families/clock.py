"""What time does: streams expire, shares are revoked, clocks jump."""

import platform
import time
from functools import partial
from pathlib import Path

from faults.catalogue import fault
from faults.run import Run
from faults.stack import now
from faults.viewer import Way
from faults.wire import Trouble
from streams import keys
from tests.support.waiting import wait_until

HOUR = 3600.0
AT_ONCE = 1.0  # seconds


@fault(
    "a stream expires while it is read",
    viewer="the whole answer: from memory, or from the conversation",
    operator="nothing",
    often=True,
)
def expires(run: Run) -> None:
    answer = run.ask(words=60_000, pace=0.001, together=1_000, viewers=1)
    slow = [run.watch(answer, way, Trouble(at_a_time=2_048)) for way in (*Way, *Way)]
    answer.wait_until_done(answer.viewers[0])
    run.wait_saved(answer)
    for viewer in slow:
        viewer.pause()
    run.stack.stream_redis.delete(keys.chunks(answer.stream), keys.state(answer.stream))
    run.injected()
    for viewer in slow[:2]:
        viewer.cut()
    for viewer in slow:
        viewer.resume()
    late = [run.watch(answer, way) for way in Way]
    answer.wait_until_done(*late)


@fault(
    "a share is revoked in mid-answer",
    viewer="it is cut off at once, and is told why; the owner sees the answer go on",
    operator="nothing",
    often=True,
)
def revoked(run: Run) -> None:
    answer = run.ask()
    share = answer.asked_by.call("POST", f"/api/conversations/{answer.conversation}/shares", {}).json()["id"]
    guests = [run.watch_by_share(answer, share, Trouble(at_once=True)) for _ in range(6)]
    wait_until(lambda: all(guest.text for guest in guests), 60, "the guests to see something")
    answer.asked_by.call("DELETE", f"/api/shares/{share}")
    revoked_at = now()
    run.injected()
    wait_until(lambda: all(guest.is_done for guest in guests), 60, "the guests to be shut out")
    shown = len(answer.viewers[0].text)
    last = max(guest.record.arrivals[-1] for guest in guests)
    run.measure("from the revoking of a share to the last word that a guest sees", max(0.0, last - revoked_at), AT_ONCE)
    for guest in guests:
        if guest.record.shut_out not in (4410, 4404) or guest.outcome is not None:
            run.complain(f"a guest was not shut out, but {guest.record.shut_out}, and was told {guest.outcome}")
        if len(guest.text) > shown or not answer.viewers[0].text.startswith(guest.text):
            run.complain("a guest saw something else than the owner")


@fault("wall clocks jump, by an hour there and back", viewer="nothing", operator="nothing", replaces=True)
def jumps(run: Run) -> None:
    """Of web processes, workers and Redis, each at another time."""
    if (environment := fake_clock(run.stack.folder)) is None:
        run.note("wall clocks: not tried, there is no libfaketime for this machine")
        return
    run.stack.restart_with(environment)
    answers = [run.ask(words=200) for _ in range(3)]
    offset = Path(environment["FAKETIME_TIMESTAMP_FILE"])
    for place, jump in enumerate((HOUR, 0.0, -HOUR, 0.0, 26 * HOUR, 0.0)):
        answers[0].wait_for(20 + 25 * place)
        moved = offset.with_suffix(".new")
        moved.write_text(f"{jump:+.0f}")
        moved.replace(offset)  # at once: half a file is another time
        run.injected()
        wait_until(partial(_is_ahead, run, jump), what=f"Redis's clock to jump by {jump:+.0f} s")
    for answer in answers:
        answer.wait_until_done()
    run.stack.restart_with({})


def _is_ahead(run: Run, seconds: float) -> bool:
    """Whether Redis's clock is, to the next hour."""
    ahead: float = run.stack.redis.time()[0] - time.time()
    return abs(ahead - seconds) < HOUR / 2


def fake_clock(folder: Path) -> dict[str, str] | None:
    """What makes the wall clock of a process follow a file; None where there is no such library."""
    try:
        import libfaketime
    except ImportError:
        return None
    library = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"
    if platform.system() != "Linux" or platform.machine() != "x86_64" or not library.exists():
        return None
    offset = folder / "clock"
    offset.write_text("+0")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
