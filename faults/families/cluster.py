"""What happens to a Redis Cluster that has the streams. Only the answers of a server that is away stand still."""

from collections.abc import Callable
from functools import partial

from faults.catalogue import fault
from faults.run import Answer, Run
from streams import keys
from tests.support.redis_cluster import ClusterServer, RedisCluster

NOT_FLUSHED = "streams not flushed, trying again"
TAKES_OVER = 20.0  # seconds for a replica to take over and to be found; the node timeout of this cluster is 2
UNDISTURBED = 2.0  # seconds that an answer on another server may pause: as long as one call that comes to nothing

in_cluster = partial(fault, in_cluster=True)


@in_cluster(
    "the primary of some answers is killed",
    viewer="of those a pause, until its replica takes over; of others nothing",
    operator=NOT_FLUSHED,
    often=True,
)
def primary_killed(run: Run) -> None:
    _lose_primary(run, ClusterServer.kill)


@in_cluster(
    "the primary of some answers hangs, and wakes up as a replica",
    viewer="of those a pause, until its replica takes over; of others nothing",
    operator=NOT_FLUSHED,
)
def primary_hangs(run: Run) -> None:
    _lose_primary(run, ClusterServer.pause).resume()


@in_cluster("slots move from server to server", viewer="nothing", operator="nothing: redirections are followed")
def slots_move(run: Run) -> None:
    answers = _answers(run)
    for words in range(20, 150, 20):
        answers[0].wait_for(words)
        for answer in answers:
            _cluster(run).move_slot(keys.chunks(answer.stream))
            run.injected()
    for answer in answers:
        answer.wait_until_done()


@in_cluster(
    "every primary changes places with its replica, one after the other",
    viewer="nothing",
    operator="nothing: redirections are followed",
)
def all_change_places(run: Run) -> None:
    """As before an upgrade of all servers."""
    answers = _answers(run)
    for number, primary in enumerate(_cluster(run).primaries):
        answers[0].wait_for(20 + 30 * number)
        _cluster(run).promote(primary)
        run.injected()
    for answer in answers:
        answer.wait_until_done()


@in_cluster(
    "a worker is killed, and the server with the list of what is in flight as well",
    viewer="a pause, and what there was, as interrupted",
    operator="lease ran out; stream ended as interrupted",
)
def worker_and_list_killed(run: Run) -> None:
    answers = _answers(run)
    worker = run.stack.worker_of(answers[0].stream)
    victim = _cluster(run).primary_of(keys.UNSETTLED)
    elsewhere = _elsewhere(run, answers, victim)
    for answer in answers:
        if run.stack.may_be_with(worker, answer.stream):
            # What a primary took and its replica did not get, only that worker could have written again.
            answer.expect("interrupted", whole=False, forgets=answer not in elsewhere)
    victim.kill()
    worker.kill()
    run.injected(2)
    for answer in answers:
        answer.wait_until_done()
    run.operator_sees(answers[0], "lease ran out; stream ended as interrupted")


def _lose_primary(run: Run, lose: Callable[[ClusterServer], None]) -> ClusterServer:
    """The primary of the first answer is lost, while it and others are written; which one it was."""
    answers = _answers(run)
    victim = _cluster(run).primary_of(keys.chunks(answers[0].stream))
    elsewhere = _elsewhere(run, answers, victim)
    lose(victim)
    run.injected()
    _go_on(run, answers, elsewhere)
    run.processes_say(NOT_FLUSHED)
    return victim


def _answers(run: Run) -> list[Answer]:
    """Enough for every server to have some; all of them have begun."""
    answers = [run.ask(viewers=3) for _ in range(8)]
    for answer in answers:
        answer.wait_for(10)
    return answers


def _cluster(run: Run) -> RedisCluster:
    assert run.stack.cluster, "its stack has one"
    return run.stack.cluster


def _elsewhere(run: Run, answers: list[Answer], victim: ClusterServer) -> list[Answer]:
    return [each for each in answers if _cluster(run).primary_of(keys.chunks(each.stream)) is not victim]


def _go_on(run: Run, answers: list[Answer], elsewhere: list[Answer]) -> None:
    for answer in answers:
        answer.wait_until_done()
    for name, those, bound in (
        ("of that server", [each for each in answers if each not in elsewhere], TAKES_OVER),
        ("of other servers", elsewhere, UNDISTURBED),
    ):
        pauses = [viewer.longest_pause for answer in those for viewer in answer.viewers]
        run.measure(f"longest pause in answers {name}", max(pauses, default=0.0), bound)
