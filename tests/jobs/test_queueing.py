"""A stream has one job, and one more to be begun again: whoever asks for them, and however often."""

import pytest
import redis
from rq.job import Job, JobStatus
from rq.queue import Queue

import workers.jobs
from jobs import SERIALIZER, Handover, open_queue, queue_again
from streams import StreamControl

ENDED = [JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED]


def job(client: "redis.Redis", job_id: str) -> Job:
    return Job.fetch(job_id, connection=client, serializer=SERIALIZER)


def test_an_answer_is_handed_over_once(control: StreamControl, queue: Queue, hand_over: Handover) -> None:
    assert hand_over("s", "c", "m")
    assert not hand_over("s", "c", "m")
    assert queue.get_job_ids() == ["s"]
    assert control.read("s").state == "queued"


def test_dashboards_are_told_of_the_queue(client: "redis.Redis", queue: Queue, hand_over: Handover) -> None:
    assert Queue.all(client) == []
    hand_over("s", "c", "m")
    assert Queue.all(client) == [queue]


def test_the_job_names_what_the_workers_run_and_waits_longer_than_they_do(
    client: "redis.Redis", hand_over: Handover
) -> None:
    hand_over("s", "c", "m")
    first = job(client, "s")
    assert first.func is workers.jobs.generate
    assert (first.args, first.timeout, first.description) == (["s"], 160, "answer in conversation c by m")


def test_the_second_job_is_a_copy_and_waits_where_the_first_one_did_as_the_first_of_all(
    client: "redis.Redis", control: StreamControl, queue: Queue, hand_over: Handover
) -> None:
    elsewhere = open_queue(client, "elsewhere")
    Handover(control, elsewhere, 500.0)("s", "c", "m")
    Handover(control, elsewhere, 500.0)("behind", "c", "m")
    hand_over("here", "c", "m")
    assert queue_again(client, "s")
    assert elsewhere.get_job_ids() == ["s-again", "s", "behind"]
    assert queue.get_job_ids() == ["here"]
    first, second = job(client, "s"), job(client, "s-again")
    assert (second.func_name, second.args) == (first.func_name, first.args)
    assert (second.timeout, second.result_ttl) == (first.timeout, first.result_ttl)
    assert second.failure_ttl == first.failure_ttl
    assert second.description == "answer in conversation c by m, again"


def test_it_is_queued_once_however_often_it_is_asked_for(
    client: "redis.Redis", queue: Queue, hand_over: Handover
) -> None:
    hand_over("s", "c", "m")
    assert queue_again(client, "s")
    assert queue_again(client, "s")
    assert queue.get_job_ids() == ["s-again", "s"]


def test_without_a_first_job_there_is_nothing_to_queue(client: "redis.Redis", queue: Queue) -> None:
    assert not queue_again(client, "s")
    assert queue.get_job_ids() == []


def test_one_that_is_queued_stays_to_come_when_the_first_is_forgotten(
    client: "redis.Redis", hand_over: Handover
) -> None:
    hand_over("s", "c", "m")
    queue_again(client, "s")
    job(client, "s").delete()
    assert queue_again(client, "s")


def test_one_that_a_worker_has_is_to_come(client: "redis.Redis", queue: Queue, hand_over: Handover) -> None:
    hand_over("s", "c", "m")
    queue_again(client, "s")
    queue.remove("s-again")
    job(client, "s-again").set_status(JobStatus.STARTED)
    assert queue_again(client, "s")


@pytest.mark.parametrize("status", ENDED)
def test_one_that_has_ended_is_not_to_come(
    client: "redis.Redis", queue: Queue, hand_over: Handover, status: JobStatus
) -> None:
    hand_over("s", "c", "m")
    queue_again(client, "s")
    queue.remove("s-again")
    job(client, "s-again").set_status(status)
    assert not queue_again(client, "s")
    assert queue.get_job_ids() == ["s"]
