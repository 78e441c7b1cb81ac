"""An answer whose worker was gone before its first chunk is queued again: by a web process too, and for all to see."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from rq.job import Job
from rq.serializers import JSONSerializer

from streams import End, Kind, Outcome, StreamWriter, keys
from tests.support.reaping import reap
from tests.support.socket_client import connected
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess
from tests.support.writing import write
from tests.webapp.people import cookie_of, read
from tests.webapp.test_event_stream import Events, following, opened
from webapp.again import queue_again
from webapp.services import Services

pytestmark = pytest.mark.timeout(400)  # as in test_process.py

Begin = Callable[[str], StreamWriter]


def die(services: Services, stream: str) -> None:
    """The worker of this stream is dead, and that is noticed now.

    Something of its writer's was stored before: with its first call, which it makes by itself, it says that it lives.
    """
    services.redis.lrem(services.queue.key, 1, stream)  # it had taken the job
    wait_until(lambda: services.redis.exists(keys.LOOKED), what="a reaper that is not blind")
    services.redis.hset(keys.state(stream), "lease", 1)
    services.redis.zadd(keys.UNSETTLED, {stream: 1})


def wait_until_queued_again(services: Services, stream: str) -> None:
    """The web process of this module has a reaper too, and may have been first."""
    wait_until(lambda: f"{stream}-again" in services.queue.get_job_ids(), what="the second job")


def test_who_follows_it_is_told_at_every_step_and_sees_only_what_the_next_worker_writes(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Begin, services: Services
) -> None:
    first = begin(stream)
    write_note(first, "The model is loading…")
    with connected(web.url, cookie_of(ada)) as page, opened(web, stream, cookie_of(ada)) as response:
        page.say(type="follow", stream=stream)
        assert page.receive_until("chunks")[-1]["note"] == "The model is loading…"
        events = Events(response)
        assert events.receive()[1] == following(stream, first.epoch, "running")
        assert events.receive()[1]["note"] == "The model is loading…"
        die(services, stream)
        assert page.receive_until("queue") == [
            following(stream, None, "queued"),
            {"type": "queue", "stream": stream, "ahead": 0},
        ]
        assert events.receive() == ("", following(stream, None, "queued"))
        assert events.receive()[1]["type"] == "queue"
        second = begin(stream)
        write(second, "Once")
        second.end(End(Outcome.FINISHED))
        told = page.receive_until("end")
        assert told[0] == following(stream, second.epoch, "running")
        assert [frame["type"] for frame in told].count("end") == 1
        assert page.text == "Once"
        assert events.receive() == (f"{second.epoch}:0", following(stream, second.epoch, "running"))
    assert services.control.read(stream).text == "Once"


def write_note(writer: StreamWriter, words: str) -> None:
    writer.note(words)
    assert writer.wait_stored(60)


def test_the_web_process_queues_the_job_that_a_worker_would(
    ada: FlaskClient, conversation: str, stream: str, begin: Begin, services: Services
) -> None:
    write_note(begin(stream), "The model is loading…")
    reap(services.reaper)  # as somebody does twice a second
    die(services, stream)
    assert reap(services.reaper) == []
    wait_until_queued_again(services, stream)
    assert services.queue.get_job_ids() == [f"{stream}-again"]
    again = Job.fetch(f"{stream}-again", connection=services.redis, serializer=JSONSerializer)
    first = Job.fetch(stream, connection=services.redis, serializer=JSONSerializer)
    assert (again.func_name, again.args, again.timeout) == (first.func_name, [stream], first.timeout)
    assert again.description == f"answer in conversation {conversation}, again"
    shown = read(ada, conversation)
    assert shown["generating"] == stream, "nobody takes it for ended"


def test_it_is_queued_once_however_often_it_is_asked_for(services: Services, stream: str) -> None:
    assert queue_again(services.redis, stream)
    assert queue_again(services.redis, stream)
    assert services.queue.get_job_ids() == [f"{stream}-again", stream]
    assert not queue_again(services.redis, "st_never")


def test_stop_ends_it_while_it_waits(
    ada: FlaskClient, conversation: str, stream: str, begin: Begin, services: Services
) -> None:
    write_note(begin(stream), "The model is loading…")
    reap(services.reaper)
    die(services, stream)
    reap(services.reaper)
    wait_until_queued_again(services, stream)
    assert ada.post(f"/api/streams/{stream}/stop").get_json()["stopping"] is True
    shown = read(ada, conversation)
    assert (shown["generating"], shown["messages"][1]["status"]) == (None, "cancelled")


def test_a_stream_that_redis_has_lost_and_whose_second_job_still_waits_is_not_given_up(
    stream: str, services: Services
) -> None:
    queue_again(services.redis, stream)
    services.redis.delete(f"rq:job:{stream}")
    assert services.settler.has_job(stream)
    services.redis.delete(f"rq:job:{stream}-again")
    assert not services.settler.has_job(stream)


def test_text_that_came_before_the_death_is_kept_and_nothing_is_queued(
    ada: FlaskClient, conversation: str, stream: str, begin: Begin, services: Services
) -> None:
    writer = begin(stream)
    writer.append(Kind.TEXT, "Lace is")
    assert writer.wait_stored(60)
    reap(services.reaper)
    die(services, stream)
    reap(services.reaper)
    wait_until(lambda: read(ada, conversation)["generating"] is None, what="it to be settled")
    message = read(ada, conversation)["messages"][1]
    assert (message["status"], message["content"]) == ("interrupted", "Lace is")
    assert services.queue.get_job_ids() == []
