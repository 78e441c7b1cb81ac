"""From a message to a job in the queue, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from rq.job import Job
from rq.serializers import JSONSerializer
from werkzeug.test import TestResponse

from streams import End, Kind, Outcome, StreamWriter
from tests.support.writing import write
from tests.webapp.people import another_tab, read, send
from webapp.services import Services


def job_of(services: Services, stream_id: str) -> Job:
    return Job.fetch(stream_id, connection=services.redis, serializer=JSONSerializer)


def test_a_message_becomes_a_stream_and_a_job(ada: FlaskClient, conversation: str, services: Services) -> None:
    sent = send(ada, conversation, "Why is lace so light?")
    assert (sent["conversation"], sent["answer"]["status"], sent["answer"]["model"]) == (
        conversation,
        "queued",
        "a-model",
    )
    assert sent["stream"] == sent["answer"]["stream"]
    assert services.control.read(sent["stream"]).state == "queued"

    job = job_of(services, sent["stream"])
    assert services.queue.get_job_ids() == [sent["stream"]]
    assert (job.func_name, job.args, job.kwargs) == ("workers.jobs.generate", [sent["stream"]], {})
    assert (job.timeout, job.retries_left) == (1860, None)
    assert job.description == f"answer in conversation {conversation} by a-model"
    assert read(ada, conversation)["generating"] == sent["stream"]


def test_a_request_may_choose_the_model(ada: FlaskClient, conversation: str) -> None:
    body = {"content": "Why?", "model": "another-model"}
    sent = ada.post(f"/api/conversations/{conversation}/messages", json=body).get_json()
    assert sent["answer"]["model"] == "another-model"


def test_the_same_key_is_the_same_send(ada: FlaskClient, conversation: str, services: Services) -> None:
    first = send(ada, conversation, key="once")
    assert send(ada, conversation, key="once") == first
    assert services.queue.count == 1
    assert len(read(ada, conversation)["messages"]) == 2


def test_two_posts_at_the_same_instant_start_one_generation(
    ada: FlaskClient, conversation: str, services: Services
) -> None:
    at_once = 6
    barrier = Barrier(at_once)

    def post(tab: FlaskClient) -> TestResponse:
        barrier.wait()
        path = f"/api/conversations/{conversation}/messages"
        return tab.post(path, json={"content": "Why?"}, headers={"Idempotency-Key": "double"})

    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(post, [another_tab(ada) for _ in range(at_once)]))
    assert [each.status_code for each in answers] == [202] * at_once
    assert len({each.get_json()["stream"] for each in answers}) == 1
    assert services.queue.count == 1


def test_a_key_names_one_request(ada: FlaskClient, conversation: str) -> None:
    send(ada, conversation, "Why?", key="once")
    path = f"/api/conversations/{conversation}/messages"
    answer = ada.post(path, json={"content": "How?"}, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.get_json()["detail"]


@pytest.mark.parametrize("key", ["", "k" * 129, "sp ace"])
def test_a_key_that_is_none_is_named(ada: FlaskClient, conversation: str, key: str) -> None:
    path = f"/api/conversations/{conversation}/messages"
    answer = ada.post(path, json={"content": "Why?"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert answer.get_json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_send_that_was_left_between_the_database_and_redis_is_completed_by_its_repetition(
    ada: FlaskClient, conversation: str, services: Services
) -> None:
    sent = send(ada, conversation, key="once")
    services.redis.flushall()  # as if the process had died after the commit
    assert send(ada, conversation, key="once") == sent
    assert services.control.read(sent["stream"]).state == "queued"
    assert services.queue.get_job_ids() == [sent["stream"]]


def test_a_repetition_does_not_queue_again_what_a_worker_has(
    ada: FlaskClient, conversation: str, services: Services, begin: Callable[[str], StreamWriter]
) -> None:
    sent = send(ada, conversation, key="once")
    begin(sent["stream"])
    services.queue.empty()  # type: ignore[no-untyped-call]
    assert send(ada, conversation, key="once")["stream"] == sent["stream"]
    assert services.queue.count == 0


def test_a_second_message_is_refused_while_the_first_is_answered(
    ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]
) -> None:
    sent = send(ada, conversation)
    begin(sent["stream"])
    path = f"/api/conversations/{conversation}/messages"
    for answer in (
        ada.post(path, json={"content": "And?"}),
        ada.post(f"/api/messages/{sent['answer']['id']}/regenerate"),
        ada.post(f"/api/messages/{sent['question']['id']}/edit", json={"content": "How?"}),
    ):
        assert answer.status_code == 409
        assert answer.get_json()["stream"] == sent["stream"]


def test_an_answer_can_be_written_again(ada: FlaskClient, conversation: str, services: Services) -> None:
    first = send(ada, conversation)
    services.control.ask_cancel(first["stream"])
    path = f"/api/messages/{first['answer']['id']}/regenerate"
    again = ada.post(path, json={"model": "another-model"})
    assert again.status_code == 202
    sent = again.get_json()
    assert sent["question"]["id"] == first["question"]["id"]
    assert sent["answer"]["versions"] == [first["answer"]["id"], sent["answer"]["id"]]
    assert sent["answer"]["model"] == "another-model"


def test_an_answer_can_be_gone_on_with_once_it_has_text(
    ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter], services: Services
) -> None:
    empty = send(ada, conversation)
    services.control.ask_cancel(empty["stream"])
    read(ada, conversation)
    refused = ada.post(f"/api/messages/{empty['answer']['id']}/continue")
    assert (refused.status_code, "no text to go on from" in refused.get_json()["detail"]) == (400, True)

    cut_off = send(ada, conversation)
    writer = begin(cut_off["stream"])
    write(writer, "Holes, ")
    writer.end(End(Outcome.INTERRUPTED))
    assert writer.wait_flushed(60)
    read(ada, conversation)
    continued = ada.post(f"/api/messages/{cut_off['answer']['id']}/continue").get_json()
    assert continued["answer"]["content"] == "Holes, "
    assert continued["answer"]["versions"] == [cut_off["answer"]["id"], continued["answer"]["id"]]
    assert services.queue.fetch_job(continued["stream"]) is not None


def test_only_answers_can_be_written_again_and_only_questions_edited(
    ada: FlaskClient, conversation: str, services: Services
) -> None:
    sent = send(ada, conversation)
    services.control.ask_cancel(sent["stream"])
    assert ada.post(f"/api/messages/{sent['question']['id']}/regenerate").status_code == 400
    edited = ada.post(f"/api/messages/{sent['answer']['id']}/edit", json={"content": "No."})
    assert edited.status_code == 400
    assert "role assistant" in edited.get_json()["detail"]


def test_stopping_what_is_queued_ends_it_at_once(ada: FlaskClient, conversation: str) -> None:
    stream = send(ada, conversation)["stream"]
    answer = ada.post(f"/api/streams/{stream}/stop")
    assert (answer.status_code, answer.get_json()) == (202, {"stream": stream, "stopping": True})
    shown = read(ada, conversation)
    assert (shown["generating"], shown["messages"][1]["status"]) == (None, "cancelled")


def test_stopping_what_is_written_is_left_to_its_writer(
    ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]
) -> None:
    stream = send(ada, conversation)["stream"]
    begin(stream)
    assert ada.post(f"/api/streams/{stream}/stop").get_json()["stopping"] is True
    assert read(ada, conversation)["generating"] == stream


def test_stopping_what_has_ended_changes_nothing(
    ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]
) -> None:
    stream = send(ada, conversation)["stream"]
    writer = begin(stream)
    writer.append(Kind.TEXT, "Because.")
    writer.end(End(Outcome.FINISHED))
    assert writer.wait_flushed(60)
    assert ada.post(f"/api/streams/{stream}/stop").get_json() == {"stream": stream, "stopping": False}
    message = read(ada, conversation)["messages"][1]
    assert (message["status"], message["content"]) == ("finished", "Because.")
