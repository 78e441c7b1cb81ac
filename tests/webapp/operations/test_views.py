"""What the administrator is told of streams, and who is not told."""

import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from conversations import open_store
from streams import End, Kind, Outcome, StreamWriter, StreamWriters, keys, look_at
from streams.control import CANCELLED
from telemetry.history import DAY, HOUR
from telemetry.presence import PROCESSES, TOTALS, Presence
from tests.support import hostile
from tests.support.redis_server import RedisServer, running_redis
from tests.support.writing import write
from tests.webapp.people import read, send
from tests.webapp.test_dashboard import ADMIN, PASSWORD, basic
from webapp import metrics
from webapp.services import Services
from workers.metrics import Reporter

SECRET = "a word that only its owner may read"  # noqa: S105
HTML = hostile.MARKUP["an event handler"]
ROUTES = ("/api/admin/operations", "/api/admin/history", "/api/admin/streams/{}", "/api/admin/streams/{}/text")
Open = Callable[..., OpenAPI]


@pytest.fixture
def guarded(open_app: Open) -> FlaskClient:
    """A program before an application that has an administrator."""
    return open_app(admin_password=PASSWORD).test_client()


def ask(client: FlaskClient, path: str, status: int = 200, **options: Any) -> Any:
    answer = client.get(path, headers=ADMIN, **options)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def seen(client: FlaskClient, stream: str) -> Any:
    return next(each for each in ask(client, "/api/admin/operations")["streams"]["shown"] if each["stream"] == stream)


def say(services: Services) -> Presence:
    """Have this process say of itself what one that runs says."""
    presence = Presence(services.redis, "web", partial(metrics.report, services.hub))
    presence.say()
    return presence


@pytest.mark.parametrize("path", ROUTES)
def test_who_is_not_the_administrator_is_told_nothing(
    ada: FlaskClient, guarded: FlaskClient, stream: str, path: str
) -> None:
    path = path.format(stream)
    assert ada.get(path, headers=ADMIN).status_code == 404, "there is no administrator"
    for headers in ({}, basic("admin", "guess")):
        assert guarded.get(path, headers=headers).status_code == 401
    assert guarded.get(path, headers={**ADMIN, "Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_stream_is_shown_while_it_is_queued_written_and_not_saved(
    guarded: FlaskClient, conversation: str, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    queued = seen(guarded, stream)
    assert (queued["state"], queued["conversation"], queued["model"]) == ("queued", conversation, "a-model")
    assert queued["age"] >= 0
    writer = begin(stream)
    write(writer, "Once", " upon")
    running = seen(guarded, stream)
    assert (running["state"], running["chunks"], running["viewers"], running["worker"]) == ("running", 2, 0, None)
    assert running["lease"] > 0
    writer.end(End(Outcome.FAILED, "The model broke off."))
    assert writer.wait_stored(60)
    ended = seen(guarded, stream)
    assert (ended["state"], ended["outcome"], ended["reason"]) == ("ended", "failed", "The model broke off.")


def test_a_worker_is_told_with_what_it_writes_and_how_fast(
    guarded: FlaskClient,
    services: Services,
    stream: str,
    writers: StreamWriters,
    begin: Callable[[str], StreamWriter],
) -> None:
    writer = begin(stream)
    moments = iter([100.0, 102.0])
    worker = Presence(services.redis, "worker", Reporter(writers, clock=lambda: next(moments)))
    worker.say()
    assert seen(guarded, stream)["characters_per_second"] is None
    write(writer, "Once", " upon")
    worker.say()
    told = seen(guarded, stream)
    assert (told["worker"], told["characters"]) == (worker.process, 9)
    assert (told["characters_per_second"], told["deltas_per_second"]) == (4.5, 1.0)
    [process] = ask(guarded, "/api/admin/operations")["processes"]
    assert (process["kind"], process["viewers"], process["running"]) == ("worker", None, 0)


def test_no_word_of_what_is_said_is_in_any_answer(
    guarded: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, SECRET)
    writer.append(Kind.REASONING, SECRET)
    assert writer.wait_stored(60)
    for path in ROUTES[:3]:
        answer = guarded.get(path.format(stream), headers=ADMIN)
        assert answer.status_code == 200
        assert SECRET not in answer.text
    refused = ask(guarded, ROUTES[3].format(stream), 403)
    assert "ADMIN_READS_ANSWERS=1" in refused["detail"]


def test_what_an_answer_says_is_told_where_that_is_allowed_and_that_it_was_is_logged(
    open_app: Open, stream: str, begin: Callable[[str], StreamWriter], caplog: pytest.LogCaptureFixture
) -> None:
    allowed = open_app(admin_password=PASSWORD, admin_reads_answers=True).test_client()
    path = ROUTES[3].format(stream)
    assert ask(allowed, path)["position"] is None
    writer = begin(stream)
    write(writer, "Once", " upon")
    first = ask(allowed, path)
    assert (first["text"], first["start"], first["ended"]) == ("Once upon", 0, False)
    write(writer, " a time")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert ask(allowed, path, query_string={"position": first["position"]})["text"] == " a time"
    [record] = [each for each in caplog.records if "reads an answer" in each.message]
    assert vars(record)["stream_id"] == stream
    assert vars(record)["login"] == "basic"
    ask(allowed, path, 400, query_string={"position": "x"})
    ask(allowed, ROUTES[3].format("st_none"), 404)


def test_a_stream_is_opened_with_all_that_is_known_of_it(
    guarded: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    writer.note("The model is loading.")
    writer.append(Kind.REASONING, "Hm. ☃")
    assert writer.wait_stored(60)
    write(writer, "Once", " upon")
    told = ask(guarded, f"/api/admin/streams/{stream}")
    assert told["contents"] == {"text": 2, "text_bytes": 9, "reasoning": 1, "reasoning_bytes": 7, "notes": 1}
    assert (told["epoch"], told["fence"], told["status"]) == (writer.epoch, 1, "running")
    assert told["asked_at"]
    assert told["ended_at"] is None
    assert told["watched"] == []


def test_one_that_redis_has_forgotten_is_told_from_the_database_and_one_that_nobody_knows_is_404(
    guarded: FlaskClient, services: Services, stream: str
) -> None:
    services.redis.delete(keys.state(stream), keys.chunks(stream))
    told = ask(guarded, f"/api/admin/streams/{stream}")
    assert (told["state"], told["contents"], told["model"]) == ("missing", None, "a-model")
    ask(guarded, "/api/admin/streams/st_nobody", 404)
    assert guarded.post("/api/admin/streams/st_nobody/stop", headers=ADMIN).status_code == 404


def test_a_stream_is_stopped_as_by_its_owner_and_that_it_was_is_logged(
    guarded: FlaskClient, ada: FlaskClient, conversation: str, stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"/api/admin/streams/{stream}/stop"
    assert guarded.post(path).status_code == 401
    assert guarded.post(path, headers={**ADMIN, "Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert guarded.post(path, headers={**ADMIN, "Origin": "https://elsewhere.test"}).status_code == 403
    assert ada.post(path).status_code == 404
    assert seen(guarded, stream)["state"] == "queued"
    with caplog.at_level(logging.WARNING):
        stopped = guarded.post(path, headers=ADMIN)
    assert (stopped.status_code, stopped.get_json()) == (202, {"stream": stream, "stopping": True})
    [record] = [each for each in caplog.records if "stops an answer" in each.message]
    assert vars(record)["stream_id"] == stream
    answer = read(ada, conversation)["messages"][-1]
    assert (answer["status"], answer["reason"]) == ("cancelled", CANCELLED.reason)
    assert guarded.post(path, headers=ADMIN).get_json()["stopping"] is False


def test_a_stream_is_stopped_while_the_redis_of_the_queue_is_away(
    open_app: Open,
    shared_redis: RedisServer,
    stopping_redis: RedisServer,
    services: Services,
    stream: str,
    begin: Callable[[str], StreamWriter],
) -> None:
    begin(stream)
    app = open_app(admin_password=PASSWORD, redis_url=stopping_redis.url, streams_redis_url=shared_redis.url)
    stopping_redis.kill()
    stopped = app.test_client().post(f"/api/admin/streams/{stream}/stop", headers=ADMIN)
    assert (stopped.status_code, stopped.get_json()["stopping"]) == (202, True)
    [sight] = look_at(services.stream_redis, [stream])
    assert sight.cancel


def test_of_many_streams_some_are_shown_and_all_are_counted(
    guarded: FlaskClient, services: Services, ada: FlaskClient
) -> None:
    streams = [str(send(ada, ada.post("/api/conversations").get_json()["id"])["stream"]) for _ in range(5)]
    for place, stream in enumerate(streams):
        services.redis.zadd(keys.UNSETTLED, {stream: 1000 - place})
    shown = ask(guarded, "/api/admin/operations", query_string={"streams": 2})["streams"]
    assert shown["total"] == 5
    assert [each["stream"] for each in shown["shown"]] == streams[:2:-1]
    ask(guarded, "/api/admin/operations", 400, query_string={"streams": 5000})


def test_the_queue_is_told_with_how_long_its_first_job_has_waited(guarded: FlaskClient, stream: str) -> None:
    queue = ask(guarded, "/api/admin/operations")["queue"]
    assert (queue["name"], queue["waiting"]) == ("generations", 1)
    assert 0 <= queue["oldest"] < 60
    assert stream


def test_this_process_is_told_until_it_leaves(guarded: FlaskClient, services: Services) -> None:
    presence = say(services)
    [process] = ask(guarded, "/api/admin/operations")["processes"]
    assert (process["id"], process["kind"], process["running"]) == (presence.process, "web", None)
    assert process["viewers"] == 0
    presence.leave()
    assert ask(guarded, "/api/admin/operations")["processes"] == []


def test_the_history_of_an_hour_and_of_a_day_end_now(guarded: FlaskClient, services: Services) -> None:
    say(services)
    services.sampler.look()
    for span, step, steps in (("hour", 60, 60), ("day", 1800, 48)):
        told = ask(guarded, "/api/admin/history", query_string={"span": span})
        assert (told["step"], len(told["viewers"]), len(told["ended"]["finished"])) == (step, steps, steps)
        assert told["viewers"][-1] is not None
        assert sum(told["waits"]["queue"]) == 0
    ask(guarded, "/api/admin/history", 400, query_string={"span": "year"})


@pytest.fixture
def stopping_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def test_while_redis_is_away_the_answer_says_so_in_words(open_app: Open, stopping_redis: RedisServer) -> None:
    app: Flask = open_app(admin_password=PASSWORD, redis_url=stopping_redis.url)
    stopping_redis.kill()
    told = ask(app.test_client(), "/api/admin/operations")
    assert (told["streams"], told["queue"], told["processes"]) == (None, None, None)
    assert len(told["troubles"]) == 2
    assert all("does not answer" in trouble for trouble in told["troubles"])
    ask(app.test_client(), "/api/admin/history", 503)


def test_while_the_database_is_away_streams_are_shown_without_what_it_knows(
    open_app: Open, stream: str, tmp_path: Path
) -> None:
    away = open_store(f"sqlite:///{tmp_path}/nowhere/at.all")
    told = ask(open_app(away, admin_password=PASSWORD).test_client(), "/api/admin/operations")
    assert [each["stream"] for each in told["streams"]["shown"]] == [stream]
    assert (told["streams"]["shown"][0]["state"], told["streams"]["shown"][0]["model"]) == ("queued", None)
    assert told["troubles"] == ["The database does not answer, so models and conversations are not known."]


def test_what_no_redis_of_ours_has_written_does_no_harm(guarded: FlaskClient, services: Services, stream: str) -> None:
    services.redis.set(keys.state("st_odd"), "x")
    services.redis.zadd(keys.UNSETTLED, {b"st_odd": 5, b"\xff": 6})
    states = {each["stream"]: each["state"] for each in ask(guarded, "/api/admin/operations")["streams"]["shown"]}
    assert states["st_odd"] == "missing"
    assert states[stream] == "queued"


@pytest.mark.parametrize("nonsense", ["x", -1, None, [], [1], ["a", "b", "c"], [None, 1, 2], {"a": 1}, True])
def test_what_no_process_of_ours_has_said_does_no_harm(
    guarded: FlaskClient, services: Services, stream: str, nonsense: object
) -> None:
    for kind in ("web", "worker"):
        told = {"kind": kind, "host": HTML, "pid": 1, "version": HTML, "began": 1, "numbers": {"viewers": 1}}
        seconds, _ = services.redis.time()
        said = f"{seconds * 1000} 1 {json.dumps({**told, 'streams': {stream: nonsense}})}"
        services.redis.hset(PROCESSES, HTML + kind, said)
    services.redis.hset(TOTALS, mapping={"deltas": "x", "chunks": "-5", HTML: "9" * 400, "gaps_filled": 7})
    for ring in (HOUR, DAY):
        for held in ({"viewers": nonsense}, {"viewers": float("inf")}):
            services.redis.lpush(ring.key, json.dumps({"at": 1, "held": held, "counted": {"deltas": nonsense}}))
        services.redis.lpush(ring.key, "[" * 100_000, "{}", json.dumps({"at": float("nan"), "held": {}, "counted": {}}))
    [shown] = ask(guarded, "/api/admin/operations")["streams"]["shown"]
    assert (shown["viewers"], shown["characters"], shown["worker"]) == (0, None, HTML + "worker")
    assert ask(guarded, f"/api/admin/streams/{stream}")["watched"] == []
    for span in ("hour", "day"):
        assert ask(guarded, f"/api/admin/history?span={span}")["counted"]["gaps_filled"] == 7


def test_keys_are_never_looked_for(guarded: FlaskClient, services: Services, stream: str) -> None:
    """KEYS and SCAN take the longer the more there is in Redis."""
    services.redis.config_resetstat()
    for path in ROUTES[:3]:
        ask(guarded, path.format(stream))
    say(services)
    called: dict[str, Any] = services.redis.info("commandstats")
    assert "cmdstat_hgetall" in called
    assert not {"cmdstat_keys", "cmdstat_scan", "cmdstat_hscan", "cmdstat_zscan"} & called.keys()
