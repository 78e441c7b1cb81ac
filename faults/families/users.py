"""What people do."""

import statistics
from http import HTTPStatus

from faults.catalogue import fault
from faults.run import Run
from faults.stack import now

SEVEN = 7
STOPPED = 0.250  # seconds from a click on stop to the end that viewers see, at the median on an idle machine


@fault("a question is posted seven times at once, with one key", viewer="one answer", operator="nothing", often=True)
def posted_at_once(run: Run) -> None:
    for _ in range(run.many(10)):
        answer, responses = run.ask_at_once(SEVEN, with_a_key=True)
        run.injected(SEVEN)
        if {response.json().get("stream") for response in responses} != {answer.stream}:
            run.complain(f"{answer.name}: the same key gave {[response.text for response in responses]}")


@fault(
    "a question is posted seven times at once, with no key",
    viewer="one answer; whoever is second, that one is being written",
    operator="nothing",
    often=True,
)
def posted_at_once_without_a_key(run: Run) -> None:
    for _ in range(run.many(10)):
        answer, responses = run.ask_at_once(SEVEN, with_a_key=False)
        run.injected(SEVEN)
        statuses = sorted(response.status_code for response in responses)
        if statuses != [HTTPStatus.ACCEPTED, *[HTTPStatus.CONFLICT] * (SEVEN - 1)]:
            run.complain(f"{answer.name}: seven at once were answered {statuses}")


@fault("stop is pressed", viewer="the answer ends at once, with what there is", operator="asked to stop", often=True)
def stop(run: Run) -> None:
    took = []
    for number in range(run.many(20)):
        answer = run.ask(words=400, pace=0.02, viewers=2)
        answer.wait_for(5)
        answer.expect("cancelled", whole=False)
        pressed = now()
        run.stop(answer, number)
        answer.wait_until_done()
        took.append(max(viewer.record.ended for viewer in answer.viewers) - pressed)
        run.injected()
    run.operator_sees(answer, "asked to stop")
    run.measure("from stop to the end, at the median", statistics.median(took), STOPPED)


@fault(
    "stop is pressed twice, from two processes, and just as the answer ends",
    viewer="one end: that it was stopped, or the whole answer",
    operator="nothing",
    often=True,
)
def stop_races(run: Run) -> None:
    for _ in range(run.many(20)):
        answer = run.ask(words=10, pace=0.02)
        answer.wait_for(run.random.randrange(11))
        answer.expect("cancelled", "finished", whole=False, requests=range(2))  # none, if it was stopped in the queue
        run.pause(run.random.random() * 0.05)
        run.at_once(4, run.stop, answer)
        run.injected(4)


@fault("a question is edited, and asked again, while it is answered", viewer="one answer at a time", operator="nothing")
def edited(run: Run) -> None:
    answer = run.ask(words=60)
    answer.wait_for(5)
    question, message = (each["id"] for each in answer.messages())
    for path in (f"/api/messages/{question}/edit", f"/api/messages/{message}/regenerate"):
        body = {"content": "another"} if path.endswith("edit") else {}
        refused = answer.asked_by.ask("POST", path, body)
        run.injected()
        if refused.status_code != HTTPStatus.CONFLICT:
            run.complain(f"{path} while an answer is written: HTTP {refused.status_code}")


@fault(
    "a conversation is deleted while it is answered",
    viewer="the end: it was stopped, or is gone",
    operator="asked to stop",
    often=True,
)
def deleted(run: Run) -> None:
    for _ in range(4):
        answer = run.ask()
        answer.wait_for(5)
        answer.expect("cancelled", whole=False)
        answer.asked_by.call("DELETE", f"/api/conversations/{answer.conversation}")
        run.injected()
        run.operator_sees(answer, "asked to stop")


@fault("everyone closes the tab", viewer="when they come back, the whole answer", operator="nothing", often=True)
def closed(run: Run) -> None:
    answer = run.ask(words=80, viewers=4)
    answer.wait_for(5)
    for viewer in answer.viewers:
        viewer.leave()
        run.injected()
    run.wait_saved(answer)
    for viewer in answer.viewers:
        viewer.come_back()
