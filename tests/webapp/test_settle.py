"""Nobody waits for an answer that nobody writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Event

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from streams import End, Kind, Outcome, Reaper, StreamSettings, StreamWriter, Subscriber, keys
from tests.support.reaping import nobody_is_blind, reap
from tests.support.waiting import wait_until
from tests.support.writing import die, write, write_note
from tests.webapp.people import read, send
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings
from webapp.settle import PATIENCE, UNHEARD, Settler


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(settings: Settings, services: Services) -> OpenAPI:
    return create_app(settings, services)


@pytest.fixture
def services(services: Services, clock: Clock) -> Services:
    """With a clock that the test can move on."""
    settler = Settler(
        services.store, services.control, services.redis, services.announce, services.hand_over, clock=clock
    )
    return replace(services, settler=settler, subscriber=Subscriber(services.redis))


@pytest.fixture
def finished(ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]) -> str:
    """A stream that ended, and whose worker died before it saved the message."""
    stream = str(send(ada, conversation)["stream"])
    writer = begin(stream)
    writer.append(Kind.REASONING, "Holes. ")
    writer.append(Kind.TEXT, "Lace is ")
    writer.append(Kind.TEXT, "mostly air.")
    writer.end(End(Outcome.FINISHED, None, {"total_tokens": 9}))
    assert writer.wait_flushed(60)
    return stream


def test_opening_a_conversation_saves_what_has_ended(
    ada: FlaskClient, conversation: str, finished: str, services: Services
) -> None:
    shown = read(ada, conversation)
    message = shown["messages"][1]
    assert shown["generating"] is None
    assert (message["content"], message["reasoning"]) == ("Lace is mostly air.", "Holes. ")
    assert (message["status"], message["usage"], message["stream"]) == ("finished", {"total_tokens": 9}, finished)
    assert services.redis.zcard(keys.UNSETTLED) == 0


def test_sending_saves_what_has_ended_and_goes_on(ada: FlaskClient, conversation: str, finished: str) -> None:
    following = send(ada, conversation, "And silk?")
    assert following["stream"] != finished
    contents = [each["content"] for each in read(ada, conversation)["messages"]]
    assert contents == ["Why?", "Lace is mostly air.", "And silk?", ""]


def test_the_reaper_saves_what_has_ended(
    ada: FlaskClient, conversation: str, finished: str, services: Services
) -> None:
    reaper = Reaper(services.redis, StreamSettings(), services.settler.save)
    services.redis.zadd(keys.UNSETTLED, {finished: 0})  # long overdue
    nobody_is_blind(services.redis)
    assert reap(reaper) == [finished]
    conversations = ada.get("/api/conversations").get_json()["items"]
    assert [each["generating"] for each in conversations] == [None]
    assert read(ada, conversation)["messages"][1]["content"] == "Lace is mostly air."


def test_saving_twice_changes_nothing(ada: FlaskClient, conversation: str, finished: str, services: Services) -> None:
    before = read(ada, conversation)
    services.settler.save(services.control.read(finished))
    assert read(ada, conversation) == before


def test_a_stream_that_goes_on_is_left_alone(
    ada: FlaskClient, conversation: str, services: Services, begin: Callable[[str], StreamWriter]
) -> None:
    stream = send(ada, conversation)["stream"]
    begin(stream)
    assert services.settler.settle(stream) is False
    with pytest.raises(ValueError, match="has not ended"):
        services.settler.save(services.control.read(stream))
    assert read(ada, conversation)["generating"] == stream


def read_version(client: FlaskClient, conversation: str) -> int:
    """As the list has it, which settles nothing."""
    items = client.get("/api/conversations").get_json()["items"]
    return int(next(each["version"] for each in items if each["id"] == conversation))


def vanish(services: Services, stream: str) -> None:
    """Lose a stream and its job, as an emptied Redis does."""
    services.store.begin(stream)
    services.store.checkpoint({stream: ("Lace is", "")})
    services.redis.flushall()


def test_a_stream_that_vanished_is_given_up_after_a_while_and_its_partial_kept(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    vanish(services, stream)
    assert read(ada, conversation)["generating"] == stream
    clock.time = PATIENCE - 0.1
    assert read(ada, conversation)["generating"] == stream
    clock.time = PATIENCE
    shown = read(ada, conversation)
    message = shown["messages"][1]
    assert shown["generating"] is None
    assert (message["status"], message["content"]) == ("interrupted", "Lace is")
    assert message["reason"]


def test_a_stream_that_vanished_is_given_up_without_anybody_asking_and_who_watches_is_told(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    vanish(services, stream)
    services.settler.sweep()
    heard: list[bytes] = []
    subscribed = Event()
    with closing(services.subscriber) as subscriber:
        subscriber.add(keys.conversation(conversation), heard.append, subscribed.set)
        subscriber.start()
        assert subscribed.wait(30)
        clock.time = PATIENCE
        services.settler.sweep()
        wait_until(lambda: heard, what="the news")
    assert stream not in services.store.streams_in_flight()
    assert ada.get("/api/conversations").get_json()["items"][0]["generating"] is None


def test_two_who_give_up_the_same_stream_at_once_do_it_once(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    vanish(services, stream)
    services.settler.settle(stream)
    clock.time = PATIENCE
    before = read_version(ada, conversation)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: services.settler.settle(stream), range(8)))
    assert read_version(ada, conversation) == before + 1


def test_sending_after_a_stream_vanished_is_refused_first_and_then_done(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    vanish(services, send(ada, conversation)["stream"])
    again = ada.post(f"/api/conversations/{conversation}/messages", json={"content": "And?"})
    assert again.status_code == 409
    clock.time = PATIENCE
    send(ada, conversation, "And?")
    statuses = [each["status"] for each in read(ada, conversation)["messages"]]
    assert statuses == ["complete", "interrupted", "complete", "queued"]


def test_a_writer_that_mends_an_emptied_redis_keeps_its_answer(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock, begin: Callable[[str], StreamWriter]
) -> None:
    stream = send(ada, conversation)["stream"]
    writer = begin(stream)
    writer.append(Kind.TEXT, "Lace is ")
    wait_until(lambda: services.control.read(stream).text, what="the text to be in Redis")
    services.redis.flushall()
    services.settler.settle(stream)  # at the worst moment
    writer.append(Kind.TEXT, "mostly air.")
    wait_until(lambda: services.redis.exists(keys.state(stream)), what="the writer to mend it")
    clock.time = PATIENCE * 2
    assert services.settler.settle(stream) is False
    writer.end(End(Outcome.FINISHED))
    assert writer.wait_flushed(60)
    assert read(ada, conversation)["messages"][1]["content"] == "Lace is mostly air."


def test_a_stream_whose_job_still_waits_is_not_given_up(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    services.redis.delete(keys.state(stream))
    assert services.settler.settle(stream) is False
    clock.time = PATIENCE * 2
    assert services.settler.settle(stream) is False
    assert services.queue.job_ids == [stream]


def test_what_no_worker_had_begun_when_redis_was_emptied_is_handed_over_again(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    services.redis.flushall()
    services.settler.sweep()
    assert stream not in services.queue.job_ids, "it may be about to be handed over for the first time"
    clock.time = UNHEARD
    services.settler.sweep()
    services.settler.sweep()
    assert services.queue.job_ids.count(stream) == 1
    assert services.control.read(stream).state == "queued"
    assert read(ada, conversation)["messages"][1]["status"] == "queued"


def test_what_was_stopped_after_redis_was_emptied_is_not_handed_over_again(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    services.redis.flushall()
    services.settler.sweep()
    clock.time = UNHEARD
    stopped = ada.post(f"/api/streams/{stream}/stop")
    assert stopped.get_json() == {"stream": stream, "stopping": True}
    services.settler.sweep()
    assert stream not in services.queue.job_ids
    message = read(ada, conversation)["messages"][1]
    assert (message["status"], message["reason"]) == ("cancelled", "Stopped before the answer began.")


def test_what_was_deleted_after_redis_was_emptied_is_not_handed_over_again(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    services.redis.flushall()
    services.settler.sweep()
    ada.delete(f"/api/conversations/{conversation}")
    clock.time = UNHEARD
    services.settler.sweep()
    assert stream not in services.queue.job_ids


def test_a_stream_whose_job_has_failed_before_it_began_is_given_up_and_not_handed_over(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock
) -> None:
    stream = send(ada, conversation)["stream"]
    services.redis.delete(keys.state(stream))
    services.redis.hset(f"rq:job:{stream}", "status", "failed")
    assert services.settler.settle(stream) is False
    clock.time = UNHEARD
    assert services.settler.settle(stream) is False
    clock.time = PATIENCE
    assert services.settler.settle(stream) is True
    assert read(ada, conversation)["messages"][1]["status"] == "interrupted"


def test_a_stream_whose_end_was_lost_is_settled_and_holds_up_no_other(
    ada: FlaskClient, finished: str, services: Services
) -> None:
    """An evicted list: what was saved of it before is kept, and the conversation is free again."""
    other = str(ada.post("/api/conversations").get_json()["id"])
    lost = send(ada, other)["stream"]
    services.store.checkpoint({lost: ("Lace is", "")})
    services.redis.hset(keys.state(lost), mapping={"epoch": "3f9", "fence": 1, "ended": 7})
    services.settler.sweep()
    message = read(ada, other)["messages"][1]
    assert (message["status"], message["content"]) == ("failed", "Lace is")
    assert "could not be read" in message["reason"]
    assert finished not in services.store.streams_in_flight()


@pytest.mark.parametrize("record", [{"status": "dancing"}, {"status": b"\xff"}, {"data": b"x", "created_at": "never"}])
def test_a_job_that_cannot_be_read_is_none(
    ada: FlaskClient, conversation: str, services: Services, clock: Clock, record: dict[str, str | bytes]
) -> None:
    stream = send(ada, conversation)["stream"]
    vanish(services, stream)
    for field, value in record.items():
        services.redis.hset(f"rq:job:{stream}", field, value)
    assert read(ada, conversation)["generating"] == stream
    clock.time = PATIENCE
    services.settler.sweep()
    assert read(ada, conversation)["generating"] is None


def lose_worker(services: Services, stream: str) -> None:
    """It had taken the job, and begun."""
    services.redis.lrem(services.queue.key, 1, stream)
    die(services.redis, stream)


def reap_until_queued(services: Services, job: str) -> None:
    """Look as the web process does by itself, until this job is in the queue, alone."""
    wait_until(lambda: reap(services.reaper) or services.queue.job_ids == [job], what="the second job")
    assert services.queue.job_ids == [job], "nothing was settled"


def test_an_answer_whose_worker_died_before_the_first_chunk_is_queued_again(
    ada: FlaskClient, conversation: str, services: Services, begin: Callable[[str], StreamWriter]
) -> None:
    stream = str(send(ada, conversation)["stream"])
    write_note(begin(stream), "The model is loading…")
    lose_worker(services, stream)
    reap_until_queued(services, f"{stream}-again")
    assert read(ada, conversation)["generating"] == stream, "nobody takes it for ended"


def test_stop_ends_it_while_it_waits_once_more(
    ada: FlaskClient, conversation: str, services: Services, begin: Callable[[str], StreamWriter]
) -> None:
    stream = str(send(ada, conversation)["stream"])
    write_note(begin(stream), "The model is loading…")
    lose_worker(services, stream)
    reap_until_queued(services, f"{stream}-again")
    assert ada.post(f"/api/streams/{stream}/stop").get_json()["stopping"] is True
    shown = read(ada, conversation)
    assert (shown["generating"], shown["messages"][1]["status"]) == (None, "cancelled")


def test_text_that_came_before_a_worker_died_is_kept_and_nothing_is_queued(
    ada: FlaskClient, conversation: str, services: Services, begin: Callable[[str], StreamWriter]
) -> None:
    stream = str(send(ada, conversation)["stream"])
    write(begin(stream), "Lace is")
    lose_worker(services, stream)
    wait_until(lambda: reap(services.reaper) == [stream], what="it to be settled")
    shown = read(ada, conversation)
    message = shown["messages"][1]
    assert (shown["generating"], message["status"], message["content"]) == (None, "interrupted", "Lace is")
    assert services.queue.job_ids == []
