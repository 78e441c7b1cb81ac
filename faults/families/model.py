"""What models do."""

from typing import Any

from faults.catalogue import fault
from faults.run import Answer, Run
from faults.words import text_of

BEFORE = 20  # words before something happens
FAILED = "model failed"
RARELY = 12.0  # seconds between deltas: longer than a lease, a heartbeat, and the silence after which a hub looks


@fault(
    "the model's connection is cut",
    viewer="what there is, and that the connection was cut",
    operator=FAILED,
    often=True,
)
def cut(run: Run) -> None:
    _breaks(run, {"cut": True})
    _breaks(run, {"eof": True})


@fault("the model falls silent", viewer="what there is, and after a while that it fell silent", operator="answer ended")
def silent(run: Run) -> None:
    answer = _breaks(run, {"silence": True}, logged="answer ended")
    run.operator_sees(answer, "fell silent")


@fault(
    "the model does not begin to answer",
    viewer="after a while, that it did not begin; then nothing more is asked of it",
    operator="did not begin to answer",
)
def never_begins(run: Run) -> None:
    answer = run.ask(words=0, deltas=[{"silence": True}], repeat=1)
    answer.expect("failed")
    run.injected()
    answer.wait_until_done()
    run.operator_sees(answer, "did not begin to answer")


@fault("the model sends garbage", viewer="what there is, and that the rest could not be read", operator=FAILED)
def garbage(run: Run) -> None:
    for raw in ("data: {nonsense\n\n", "data: []\n\n", 'data: {"choices": 1}\n\n', "data: \x00\x01\n\n"):
        _breaks(run, {"raw": raw})


@fault("the model reports an error in mid-answer", viewer="what there is, and the model's own words", operator=FAILED)
def error_in_the_middle(run: Run) -> None:
    _breaks(run, {"error": {"message": "overloaded"}})


@fault("the model refuses", viewer="why, in words, and what can be done", operator=FAILED, often=True)
def refuses(run: Run) -> None:
    for status, requests in ((400, 1), (401, 1), (404, 1), (429, 2), (500, 2), (503, 2), (504, 1)):
        answer = run.ask(0, status=status, error={"message": "no"})
        answer.expect("failed", requests=range(requests, requests + 1))
        run.injected()
        run.operator_sees(answer, FAILED, f"HTTP {status}")


@fault("the model says a word now and then", viewer="a word now and then", operator="nothing")
def slow(run: Run) -> None:
    run.ask(4, RARELY, viewers=3)
    run.injected()


@fault("the model writes 5 MB", viewer="all of it", operator="nothing", often=True)
def large(run: Run) -> None:
    words = run.many(450_000)
    run.ask(words - words % 1_000, 0, together=1_000, viewers=3)
    run.injected()


@fault("the model writes as fast as it can", viewer="all of it", operator="nothing")
def fast(run: Run) -> None:
    words = run.many(40_000)
    answer = run.ask(words, 0, viewers=3)
    run.injected()
    answer.wait_until_done()
    took = max(viewer.record.ended - viewer.record.arrivals[0] for viewer in answer.viewers)
    run.note(f"of a model that sends as fast as it can, viewers had {words / took:.0f} deltas a second")


def _breaks(run: Run, step: Any, logged: str = FAILED) -> Answer:
    """An answer of which there are some words, and then this."""
    deltas = [*(text_of(1, number) for number in range(BEFORE)), step, text_of(1, BEFORE)]
    answer = run.ask(BEFORE, 0.02, deltas=deltas, repeat=1)
    answer.expect("failed")
    run.injected()
    answer.wait_until_done()
    run.operator_sees(answer, logged)
    return answer
