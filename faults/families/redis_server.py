"""What happens to Redis. Whatever it is: a generation that runs goes on, and its viewers get the full text."""

from rq.suspension import suspend

from faults.catalogue import fault
from faults.run import Answer, Run
from streams import keys
from tests.support.fault_proxy import Fault, is_of_the_queue

HELD_BACK = "Redis takes what was held back"
WRITTEN_AGAIN = "Redis had lost entries; writing them again"
GIVEN_BACK = "a job could not begin, giving it back"
AWAY = 3.0  # seconds


@fault(
    "connections break in mid-call, before or after the command has run",
    viewer="nothing",
    operator="nothing: a call that fails is made again, at once",
    often=True,
)
def mid_call(run: Run) -> None:
    answers = _answers(run)
    before = run.stack.worker_line.harm + run.stack.web_line.harm
    for words in range(10, 150, 5):
        answers[0].wait_for(words)
        for line in (run.stack.worker_line, run.stack.web_line):
            line.script.extend(run.random.choices([Fault.CUT_BEFORE, Fault.CUT_AFTER], k=2))
    _wait_done(answers)
    run.injected(run.stack.worker_line.harm + run.stack.web_line.harm - before)


@fault(
    "connections break in mid-call while questions are queued and taken",
    viewer="that it could not be sent, and is sent again; then one answer",
    operator=GIVEN_BACK,
)
def mid_queue(run: Run) -> None:
    """Two of three calls of RQ's, in web processes and workers."""
    run.excused |= {"failed to persist", "failed to enqueue dependents"}  # RQ's own words, with its traceback
    before = run.stack.worker_line.harm + run.stack.web_line.harm
    for line in (run.stack.worker_line, run.stack.web_line):
        line.hits = is_of_the_queue
        line.script.extend(run.random.choices([Fault.NONE, Fault.CUT_BEFORE, Fault.CUT_AFTER], k=run.many(300)))
    _wait_done([run.ask(words=20) for _ in range(run.many(20))])
    run.injected(run.stack.worker_line.harm + run.stack.web_line.harm - before)
    run.processes_say(GIVEN_BACK)


@fault("Redis is restarted, with its data", viewer="a pause", operator=HELD_BACK, often=True)
def restarted(run: Run) -> None:
    answers = _answers(run)
    run.stack.redis_server.kill()
    run.injected()
    run.pause(AWAY)
    run.stack.redis_server.start()
    _goes_on(run, answers, HELD_BACK)


@fault("Redis is restarted, empty", viewer="a pause", operator=WRITTEN_AGAIN, often=True)
def restarted_empty(run: Run) -> None:
    answers = _answers(run)
    run.stack.redis_server.kill()
    run.stack.redis_server.forget()
    run.injected()
    run.pause(AWAY)
    run.stack.redis_server.start()
    _goes_on(run, answers, WRITTEN_AGAIN)


@fault(
    "Redis is restarted, empty, with questions in the queue",
    viewer="a pause, and then the answer",
    operator="stream vanished before a worker had it; handed over again",
    often=True,
)
def restarted_empty_with_a_queue(run: Run) -> None:
    suspend(run.stack.redis)
    run.stack.wait_suspended()
    answers = [run.ask(words=20) for _ in range(3)]
    run.stack.redis_server.kill()
    run.stack.redis_server.forget()
    run.injected()
    run.stack.redis_server.start()  # which has forgotten that the workers are suspended, too
    for answer in answers:
        run.operator_sees(answer, "stream vanished before a worker had it; handed over again")


@fault("everything in Redis is deleted (FLUSHALL)", viewer="a small pause", operator=WRITTEN_AGAIN)
def flushed(run: Run) -> None:
    answers = _answers(run)
    run.stack.redis.flushall()
    run.injected()
    _goes_on(run, answers, WRITTEN_AGAIN)


@fault("Redis is paused for seconds", viewer="a pause", operator=HELD_BACK)
def paused(run: Run) -> None:
    answers = _answers(run)
    for seconds in (1.0, 6.0):
        run.stack.redis_server.pause()
        run.injected()
        run.pause(seconds)
        run.stack.redis_server.resume()
    _goes_on(run, answers, HELD_BACK)


@fault("the keys of a stream are evicted", viewer="a small pause", operator=WRITTEN_AGAIN, often=True)
def evicted(run: Run) -> None:
    answers = _answers(run)
    which = [[keys.chunks], [keys.state], [keys.chunks, keys.state]]
    for answer, names in zip(answers, which, strict=True):
        run.stack.redis.delete(*(name(answer.stream) for name in names))
        run.injected()
    _goes_on(run, answers, WRITTEN_AGAIN)


@fault("Redis has no memory left (OOM)", viewer="a pause", operator=HELD_BACK)
def out_of_memory(run: Run) -> None:
    answers = _answers(run)
    run.stack.redis.config_set("maxmemory", 1)
    run.injected()
    run.pause(AWAY)
    run.stack.redis.config_set("maxmemory", 0)
    _goes_on(run, answers, HELD_BACK)


@fault("Redis refuses every write as a replica (READONLY)", viewer="a pause", operator=HELD_BACK)
def read_only(run: Run) -> None:
    answers = _answers(run)
    run.stack.redis.replicaof("127.0.0.1", "1")
    run.injected()
    run.pause(AWAY)
    run.stack.redis.replicaof("NO", "ONE")
    _goes_on(run, answers, HELD_BACK)


@fault(
    "a replica that lacks the last entries takes the place of a Redis that died",
    viewer="a small pause",
    operator=WRITTEN_AGAIN,
    often=True,
)
def failed_over(run: Run) -> None:
    replica, line = run.stack.start_replica()
    answers = _answers(run)
    line.freeze()  # what is written from now on never reaches the replica
    for answer in answers:
        answer.wait_for(40)
    run.stack.redis_server.kill()
    line.cut()
    run.stack.promote(replica)
    run.injected()
    _goes_on(run, answers, WRITTEN_AGAIN)


@fault(
    "a Redis that was made a replica keeps its connections",
    viewer="a small pause",
    operator=HELD_BACK,
)
def demoted(run: Run) -> None:
    replica, _ = run.stack.start_replica()
    answers = _answers(run)
    old = run.stack.redis
    run.stack.promote(replica)
    old.replicaof("127.0.0.1", str(replica.port))
    run.injected()
    _wait_done([*answers, run.ask(words=20)])
    run.processes_say(HELD_BACK)


def _answers(run: Run) -> list[Answer]:
    """Three, in the middle."""
    answers = [run.ask(viewers=3) for _ in range(3)]
    for answer in answers:
        answer.wait_for(10)
    return answers


def _wait_done(answers: list[Answer]) -> None:
    for answer in answers:
        answer.wait_until_done()


def _goes_on(run: Run, answers: list[Answer], logged: str) -> None:
    for answer in answers:
        answer.wait_until_done()
        run.operator_sees(answer, logged)
