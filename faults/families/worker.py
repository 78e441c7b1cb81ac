"""What happens to workers."""

import signal
import time

import psutil
from rq.command import send_stop_job_command
from rq.serializers import JSONSerializer

from faults.catalogue import fault
from faults.run import Answer, Run
from faults.stack import now
from streams import StreamSettings, keys
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess

ROOM = 30_000_000  # bytes that a worker may still take
AGAIN = "Another one is asking the model"  # what the page says of it
NOTICED = 5.0  # seconds from a worker's last heartbeat to the end that viewers see


@fault(
    "a worker is killed in mid-answer",
    viewer="the text that there was, marked as interrupted, with Continue and Try again",
    operator="lease ran out; stream ended as interrupted",
    often=True,
)
def killed(run: Run) -> None:
    answers = [run.ask() for _ in range(4)]
    worker, hit = _share_of_a_worker(run, answers)
    worker.kill()
    run.injected()
    heard = {answer: _last_heartbeat(run, answer) for answer in hit}
    for answer in hit:
        answer.expect("interrupted", whole=False)
    for answer in hit:
        answer.wait_until_done()
        ended = max(viewer.record.ended for viewer in answer.viewers)
        run.measure("from a killed worker's last heartbeat to the end", ended - heard[answer], NOTICED)
        run.operator_sees(answer, "lease ran out; stream ended as interrupted")


@fault(
    "a worker is killed before the first word, with what it has asked for",
    viewer="that the worker stopped and the model is asked again; then the whole answer",
    operator="a worker died before the first chunk of its answer; the job is queued again",
    often=True,
)
def killed_early(run: Run) -> None:
    run.ask(words=1).wait_until_done()
    answers = [run.ask(words=20, hold=f"{run.name} {number}") for number in range(4)]
    for answer in answers:
        run.wait_asked(answer)
    worker = run.stack.worker_of(answers[0].stream)
    hit = [answer for answer in answers if run.stack.worker_of(answer.stream) is worker]
    worker.kill()
    run.injected()
    for answer in hit:
        answer.expect(requests=range(2, 3))
        run.wait_asked(answer, 2)
        run.operator_sees(answer, "died before the first chunk", "the job is queued again")
        _page_says_so(answer)
    for number in range(4):
        run.stack.model.release(f"{run.name} {number}", 2)


@fault(
    "every worker is killed before the first word, twice",
    viewer="that it was interrupted, with Try again",
    operator="lease ran out; stream ended as interrupted",
)
def killed_twice(run: Run) -> None:
    answer = run.ask(words=20, hold=run.name)
    answer.expect("interrupted", whole=False, requests=range(2, 3))
    for times in (1, 2):
        run.wait_asked(answer, times)
        for worker in run.stack.workers:
            worker.kill()
        run.injected()
        run.stack.heal()
        if times == 1:
            run.wait_asked(answer, 2)
            _page_says_so(answer)
    answer.wait_until_done()
    run.operator_sees(answer, "lease ran out; stream ended as interrupted")
    run.stack.model.release(run.name, 2)


@fault(
    "a worker is killed; so is the one that goes on with its answer, when somebody presses Continue",
    viewer="each time what there is, marked as interrupted; at last, gone on with or tried again, the whole answer",
    operator="lease ran out; stream ended as interrupted",
)
def killed_and_gone_on_with(run: Run) -> None:
    """The model is asked once for each click, and no part twice."""
    part = run.ask()
    _kill_worker_of(run, part, words=20)
    part = run.go_on(part)
    _kill_worker_of(run, part, words=40)
    whole = run.go_on(part)
    whole.wait_until_done()
    run.wait_saved(whole)
    run.try_again(whole).wait_until_done()
    for answer in run.answers:
        answer.expect(requests=range(len(run.answers), len(run.answers) + 1))


def _kill_worker_of(run: Run, answer: Answer, words: int) -> None:
    """When there are so many words; return when that is over."""
    answer.wait_for(words)
    run.stack.worker_of(answer.stream).kill()
    run.injected()
    run.stack.heal()
    answer.expect("interrupted", whole=False)
    answer.wait_until_done()
    run.wait_saved(answer)
    run.operator_sees(answer, "lease ran out; stream ended as interrupted")


@fault(
    "a worker sleeps past its lease and wakes up again",
    viewer="the text that there was, marked as interrupted; what the sleeper says afterwards is seen by nobody",
    operator="stopped and saved nothing: this writer has fence 1, the newest is 2",
    often=True,
)
def asleep(run: Run) -> None:
    answers = [run.ask() for _ in range(4)]
    worker, hit = _share_of_a_worker(run, answers)
    worker.process.send_signal(signal.SIGSTOP)
    run.injected()
    for answer in hit:
        answer.expect("interrupted", whole=False)
        answer.wait_until_done()
    entries = {answer: run.stack.stream_redis.llen(keys.chunks(answer.stream)) for answer in hit}
    worker.process.send_signal(signal.SIGCONT)
    for answer in hit:
        run.operator_sees(answer, "stopped and saved nothing", "the newest is 2")
        more = run.stack.stream_redis.llen(keys.chunks(answer.stream)) - entries[answer]
        if more:
            run.complain(f"{answer.name}: the sleeper wrote {more} more entries")


@fault(
    "a worker alone is cut off from Redis for longer than its lease",
    viewer="what there was of an answer, as interrupted; of one that had not begun, that the model is asked again",
    operator="lease ran out; or: a worker died before the first chunk of its answer; the job is queued again",
)
def cut_off(run: Run) -> None:
    if run.stack.cluster:
        run.note("a worker alone: not cut off, for its line to the queue is not the way to the servers of a cluster")
        return
    worker, line = run.stack.start_worker_on_a_line_of_its_own()
    begun = [run.ask() for _ in range(6)]
    waiting = [run.ask(words=20, hold=f"{run.name} {number}") for number in range(6)]
    for answer in begun:
        answer.wait_for(5)
    for answer in waiting:
        run.wait_asked(answer)
    line.block()
    run.injected()
    for number, answer in enumerate(waiting):
        if run.stack.worker_of(answer.stream) is worker:
            answer.expect(requests=range(2, 3))
            run.operator_sees(answer, "died before the first chunk", "the job is queued again")
            run.wait_asked(answer, 2)
            _page_says_so(answer)
        run.stack.model.release(f"{run.name} {number}", 2)
    for answer in begun:
        if run.stack.worker_of(answer.stream) is worker:
            answer.expect("interrupted", whole=False)
            run.operator_sees(answer, "lease ran out; stream ended as interrupted")
    for answer in (*waiting, *begun):
        answer.wait_until_done()
    line.mend()
    worker.terminate()
    worker.wait()
    run.stack.workers.remove(worker)


@fault(
    "a worker has to leave in mid-answer",
    viewer="what cannot finish in its grace is marked as interrupted at once, with its text",
    operator="answer ended outcome=interrupted",
    often=True,
)
def has_to_leave(run: Run) -> None:
    answers = [run.ask() for _ in range(4)]
    worker, hit = _share_of_a_worker(run, answers)
    worker.terminate()
    run.injected()
    for answer in hit:
        answer.expect("interrupted", whole=False)
    worker.wait()
    for answer in hit:
        answer.wait_until_done()
        run.operator_sees(answer, "answer ended", "outcome=interrupted")


def _page_says_so(answer: Answer) -> None:
    """Wait until whoever watches is told that the model is asked again."""
    wait_until(lambda: all(AGAIN in viewer.copy.note for viewer in answer.viewers), 60, "the page to say so")


def _share_of_a_worker(run: Run, answers: list[Answer]) -> tuple[WorkerProcess, list[Answer]]:
    """One worker, and those answers that it writes; all of them are in mid-answer."""
    for answer in answers:
        answer.wait_for(5)
    worker = run.stack.worker_of(answers[0].stream)
    return worker, [answer for answer in answers if run.stack.worker_of(answer.stream) is worker]


def _last_heartbeat(run: Run, answer: Answer) -> float:
    """When the writer of this answer last renewed its lease, on the clock of `now`."""
    lease = float(run.stack.stream_redis.hget(keys.state(answer.stream), "lease") or 0) / 1000
    ago = time.time() - (lease - StreamSettings().lease)
    return now() - ago


@fault(
    "one generation runs out of memory",
    viewer="that something went wrong; all others go on",
    operator="generation broke",
)
def out_of_memory(run: Run) -> None:
    """The worker may have no more than it has, and then one answer comes that needs a lot."""
    [old] = run.stack.workers[1:]
    old.terminate()
    old.wait()
    run.stack.workers.remove(old)
    [worker] = run.stack.workers
    others = [run.ask() for _ in range(3)]
    for other in others:
        other.wait_for(5)
    process = psutil.Process(worker.process.pid)
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + ROOM, -1))
    words = 450_000
    large = run.ask(words, 0, together=words, viewers=1)
    large.expect("failed", whole=False)
    run.excused.add(large.stream)
    run.injected()
    for answer in run.answers:
        answer.wait_until_done()
    process.rlimit(psutil.RLIMIT_AS, (-1, -1))
    run.operator_sees(large, "generation broke")


@fault(
    "the operator stops the job in mid-answer",
    viewer="what there is, and that the operator stopped it",
    operator="answer ended outcome=cancelled",
)
def stopped_by_the_operator(run: Run) -> None:
    answers = [run.ask() for _ in range(2)]
    answers[0].wait_for(5)
    answers[0].expect("cancelled", whole=False)
    send_stop_job_command(run.stack.redis, answers[0].stream, serializer=JSONSerializer)
    run.injected()
    answers[0].wait_until_done()
    run.operator_sees(answers[0], "answer ended", "outcome=cancelled")
