"""Which jobs a stream has, and whether one is still to come."""

import pytest
import redis
from rq.job import JobStatus

from jobs import Handover, has_job, is_known, job_ids, queue_again, stream_of_job


def test_a_stream_has_two_jobs_at_most_and_each_names_it() -> None:
    assert job_ids("st_1") == ("st_1", "st_1-again")
    assert [stream_of_job(job_id) for job_id in job_ids("st_1")] == ["st_1", "st_1"]


def test_a_stream_has_a_job_while_its_first_or_its_second_is_to_come(
    client: "redis.Redis", hand_over: Handover
) -> None:
    assert not has_job(client, "s")
    hand_over("s", "c", "m")
    assert has_job(client, "s")
    queue_again(client, "s")
    client.delete("rq:job:s")
    assert has_job(client, "s")
    client.delete("rq:job:s-again")
    assert not has_job(client, "s")


def test_a_job_that_has_ended_is_known_and_none_to_wait_for(client: "redis.Redis", hand_over: Handover) -> None:
    assert not is_known(client, "s")
    hand_over("s", "c", "m")
    client.hset("rq:job:s", "status", JobStatus.FAILED.value)
    assert is_known(client, "s")
    assert not has_job(client, "s")


@pytest.mark.parametrize("status", ["dancing", b"\xff"])
def test_a_job_whose_status_cannot_be_read_is_none_to_wait_for(
    client: "redis.Redis", hand_over: Handover, status: str | bytes
) -> None:
    hand_over("s", "c", "m")
    client.hset("rq:job:s", "status", status)
    assert not has_job(client, "s")
