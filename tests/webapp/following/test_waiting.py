"""Who waits in the queue is told how many come before it, also when its worker died, and whether anybody is there to
begin it; and nobody is asked where nobody waits.
"""

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from rq import Worker, suspension

from streams import End, Outcome, StreamHub, StreamWriter, connect
from tests.support.redis_server import RedisServer
from tests.support.socket_client import SocketClient, connected
from tests.support.web_process import WebProcess
from tests.support.writing import die, write, write_note
from tests.webapp.following.test_event_stream import Events, following, opened
from tests.webapp.people import cookie_of, send
from webapp.following.waiting import LOOKED_THROUGH, Waiting
from webapp.services import Services

pytestmark = pytest.mark.timeout(400)  # as in test_process.py


@pytest.fixture
def worker(services: Services) -> Worker:
    """One that says that it is there, and takes nothing."""
    worker = Worker([services.queue], connection=services.redis)
    worker.register_birth()  # type: ignore[no-untyped-call]
    return worker


@pytest.fixture
def queued(ada: FlaskClient) -> list[str]:
    """Four streams of Ada's, as they stand in the queue."""
    conversations = [str(ada.post("/api/conversations").get_json()["id"]) for _ in range(4)]
    return [str(send(ada, conversation)["stream"]) for conversation in conversations]


@pytest.fixture
def page(web: WebProcess, ada: FlaskClient, queued: list[str]) -> Iterator[SocketClient]:  # noqa: ARG001
    with connected(web.url, cookie_of(ada)) as page:
        yield page


def take_one(services: Services) -> str:
    """As a worker does, but nothing becomes of it."""
    taken = services.redis.lpop(services.queue.key)
    assert isinstance(taken, bytes)
    return taken.decode()


@pytest.mark.usefixtures("worker")
def test_the_number_goes_down_as_others_are_taken(page: SocketClient, queued: list[str], services: Services) -> None:
    last = queued[-1]
    page.say(type="follow", stream=last)
    assert page.receive_until("queue")[-1] == {"type": "queue", "stream": last, "ahead": 3, "away": False}
    assert take_one(services) == queued[0]
    assert page.receive_until("queue")[-1] == {"type": "queue", "stream": last, "ahead": 2, "away": False}
    take_one(services), take_one(services)
    frames = page.receive_until("queue")
    while frames[-1]["ahead"] != 0:
        frames = page.receive_until("queue")
    assert frames[-1] == {"type": "queue", "stream": last, "ahead": 0, "away": False}


@pytest.mark.usefixtures("worker")
def test_everyone_who_follows_is_told_and_a_late_one_at_once(
    web: WebProcess, ada: FlaskClient, page: SocketClient, queued: list[str]
) -> None:
    second = queued[1]
    page.say(type="follow", stream=second)
    page.receive_until("queue")
    with opened(web, second, cookie_of(ada)) as response:
        events = Events(response)
        assert events.receive()[1]["state"] == "queued"
        assert events.receive_any() == ("", {"type": "queue", "stream": second, "ahead": 1, "away": False})


@pytest.mark.usefixtures("worker")
def test_a_stream_that_is_no_longer_in_the_queue_is_not_told_about(
    page: SocketClient, queued: list[str], services: Services
) -> None:
    first, second, *_ = queued
    take_one(services)
    page.say(type="follow", stream=first)
    page.say(type="follow", stream=second)
    told = page.receive_until("queue")
    assert [frame["stream"] for frame in told if frame["type"] == "queue"] == [second]


@pytest.mark.usefixtures("worker")
def test_who_follows_one_that_is_queued_again_is_told_at_every_step_and_sees_only_what_the_next_worker_writes(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter], services: Services
) -> None:
    first = begin(stream)
    write_note(first, "The model is loading…")
    with connected(web.url, cookie_of(ada)) as page, opened(web, stream, cookie_of(ada)) as response:
        page.say(type="follow", stream=stream)
        assert page.receive_until("chunks")[-1]["note"] == "The model is loading…"
        events = Events(response)
        assert events.receive()[1] == following(stream, first.epoch, "running")
        assert events.receive()[1]["note"] == "The model is loading…"
        take_one(services)
        die(services.redis, stream)
        assert page.receive_until("queue") == [
            following(stream, None, "queued"),
            {"type": "queue", "stream": stream, "ahead": 0, "away": False},
        ]
        assert events.receive() == ("", following(stream, None, "queued"))
        assert events.receive_any()[1]["type"] == "queue"
        second = begin(stream)
        write(second, "Once")
        second.end(End(Outcome.FINISHED))
        told = page.receive_until("end")
        assert told[0] == following(stream, second.epoch, "running")
        assert [frame["type"] for frame in told].count("end") == 1
        assert page.text == "Once"
        assert events.receive() == (f"{second.epoch}:0", following(stream, second.epoch, "running"))
    assert services.control.read(stream).text == "Once"


def told(page: SocketClient) -> tuple[int | None, bool]:
    """What is said of the queue next."""
    frame = page.receive_until("queue")[-1]
    return frame["ahead"], frame["away"]


def test_who_waits_is_told_when_the_last_worker_has_left_and_when_one_is_there_again(
    page: SocketClient, queued: list[str], worker: Worker
) -> None:
    page.say(type="follow", stream=queued[1])
    assert told(page) == (1, False)
    worker.register_death()  # type: ignore[no-untyped-call]
    assert told(page) == (1, True)
    worker.register_birth()  # type: ignore[no-untyped-call]
    assert told(page) == (1, False)


def test_a_worker_that_was_killed_is_away_as_soon_as_what_it_said_of_itself_has_expired(
    page: SocketClient, queued: list[str], worker: Worker, services: Services
) -> None:
    page.say(type="follow", stream=queued[0])
    assert told(page) == (0, False)
    services.redis.pexpire(worker.key, 1)
    assert told(page) == (0, True)
    assert Worker.all(queue=services.queue) == []


def test_one_worker_of_several_that_is_away_is_nobodys_concern(
    page: SocketClient, queued: list[str], worker: Worker, services: Services
) -> None:
    other = Worker([services.queue], connection=services.redis)
    other.register_birth()  # type: ignore[no-untyped-call]
    page.say(type="follow", stream=queued[1])
    assert told(page) == (1, False)
    services.redis.delete(worker.key)
    take_one(services)
    assert told(page) == (0, False)
    other.register_death()  # type: ignore[no-untyped-call]
    assert told(page) == (0, True)


def test_a_worker_of_another_queue_is_nobody_here(page: SocketClient, queued: list[str], services: Services) -> None:
    Worker(["another"], connection=services.redis).register_birth()  # type: ignore[no-untyped-call]
    page.say(type="follow", stream=queued[0])
    assert told(page) == (0, True)


def test_who_is_too_far_back_to_be_counted_is_told_that_nobody_is_there_and_so_is_who_was_taken_and_not_begun(
    page: SocketClient, queued: list[str], services: Services
) -> None:
    first, second, *_ = queued
    take_one(services)
    services.redis.lpush(services.queue.key, *(f"other-{number}" for number in range(LOOKED_THROUGH)))
    for stream in (first, second):
        page.say(type="follow", stream=stream)
        assert told(page) == (None, True)
    worker = Worker([services.queue], connection=services.redis)
    worker.register_birth()  # type: ignore[no-untyped-call]
    assert [told(page), told(page)] == [(None, False)] * 2


@pytest.mark.usefixtures("worker")
def test_workers_that_are_suspended_begin_nothing_until_they_are_resumed(
    page: SocketClient, queued: list[str], services: Services
) -> None:
    suspension.suspend(services.redis)
    page.say(type="follow", stream=queued[0])
    assert told(page) == (0, True)
    suspension.resume(services.redis)
    assert told(page) == (0, False)


def test_where_nobody_waits_redis_is_not_asked(services: Services, own_redis: RedisServer) -> None:
    with connect(own_redis.url) as client:
        hub = StreamHub(client, services.subscriber)
        own_redis.kill()
        Waiting(client, services.queue, hub).look()
