"""Two versions side by side read what the other has written: recorded of older ones, made up of a newer one.

The rules that make it so are in streams/README.md and docs/upgrading.md.
"""

import base64
import hashlib
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer
from rq.job import Job

import streams
from jobs import open_queue
from streams import keys
from streams.chunk import decode_notification, join
from streams.reader import Recording, read_recording
from tests.support.redis_server import running_redis
from tests.versions.formats import END, OWNER, QUEUE, REASONING, STREAM, TEXT, Json, written
from webapp.identity import COOKIE, current_owner, init_identity

RECORDED = sorted(Path(__file__).with_name("recorded").glob("*.json"))
SECRET_KEY = "not a secret, because it is only for tests"  # noqa: S105


@pytest.fixture
def client() -> Iterator["redis.Redis"]:
    with running_redis() as server, streams.connect(server.url) as client:
        yield client


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def of_old(request: pytest.FixtureRequest) -> Json:
    """What one of our versions has left."""
    recorded: Json = json.loads(request.param.read_text())
    return recorded


def put(client: "redis.Redis", entries: list[str], state: dict[Any, Any]) -> None:
    if entries:
        client.rpush(keys.chunks(STREAM), *entries)
    client.hset(keys.state(STREAM), mapping=state)


def reading(client: "redis.Redis") -> Recording:
    recording = read_recording(client, STREAM)
    assert recording is not None
    return recording


def without_epoch(notifications: list[str]) -> list[str]:
    return [notification.split(" ", 1)[1] for notification in notifications]


def test_answers_of_every_version_are_read_whole(client: "redis.Redis", of_old: Json) -> None:
    put(client, of_old["entries"], of_old["states"]["ended"])
    whole = reading(client)
    assert (whole.state, whole.text, whole.reasoning, whole.end) == ("ended", TEXT, REASONING, END)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_answers_that_another_version_has_not_ended_are_what_they_are(
    client: "redis.Redis", of_old: Json, state: str
) -> None:
    put(client, of_old["entries"][:2] if state == "running" else [], of_old["states"][state])
    assert reading(client).state == state


def test_notifications_of_every_version_carry_their_entries(of_old: Json) -> None:
    notifications = [decode_notification(payload.encode()) for payload in of_old["notifications"]]
    carried = [entry for notification in notifications for entry in notification.entries or []]
    assert [entry.decode() for entry in carried] == of_old["entries"]
    assert notifications[-1].stop == len(of_old["entries"])


def test_jobs_of_every_version_call_what_there_is(client: "redis.Redis", of_old: Json) -> None:
    fields = {name: base64.b64decode(value) for name, value in of_old["job"].items()}
    client.hset(Job.key_for(STREAM), mapping=fields)
    client.rpush(open_queue(client, QUEUE).key, STREAM)
    job = open_queue(client, QUEUE).fetch_job(STREAM)
    assert job is not None
    assert job.func_name
    module, _, name = job.func_name.rpartition(".")
    called = getattr(importlib.import_module(module), name)
    assert list(inspect.signature(called).bind(*job.args, **job.kwargs).arguments.values()) == [STREAM]


def test_cookies_of_every_version_say_who_one_is(of_old: Json) -> None:
    signing = URLSafeTimedSerializer(
        SECRET_KEY,
        salt="cookie-session",
        serializer=TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )
    app = Flask(__name__)
    init_identity(app, SECRET_KEY)
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={signing.dumps(of_old['cookie'])}"}):
        assert current_owner() == OWNER


def test_what_this_version_writes_is_recorded(client: "redis.Redis") -> None:
    """If not: `python -m tests.versions.formats`, into the file of this version. Those of released ones stay as is."""
    newest, now = json.loads(RECORDED[-1].read_text()), written(client)
    assert now["entries"] == newest["entries"]
    assert now["cookie"] == newest["cookie"]
    for state, fields in now["states"].items():
        assert set(fields) == set(newest["states"][state])
    assert without_epoch(now["notifications"]) == without_epoch(newest["notifications"])
    assert now["job"]["data"] == newest["job"]["data"]


def test_what_a_newer_version_says_besides_is_passed_over(client: "redis.Redis") -> None:
    end = '{"outcome": "finished", "reason": null, "usage": null, "rated": 5}'
    entries = ["t:Once", "z:something new", "t: upon", f"e:{end}"]
    put(client, entries, {"epoch": "abc123", "fence": "1", "ended": "3", "mood": "fine"})
    whole = reading(client)
    assert (whole.text, whole.stop, whole.end) == ("Once upon", 4, streams.End(streams.Outcome.FINISHED))


def test_an_ending_that_only_a_newer_version_knows_is_an_ending_all_the_same() -> None:
    joined = join([b"t:Once", b'e:{"outcome": "postponed"}'])
    assert joined.text == "Once"
    assert joined.end is not None
    assert "A newer version may have written it." in (joined.end.reason or "")


@pytest.mark.parametrize("payload", [b"abc123 0 1 5 extra\nt:One", b"abc123 0 1\nt:One", b"{}"])
def test_a_notification_that_cannot_be_read_is_refused_so_that_the_list_is_read(payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (a Tail takes any for "read the list")
        decode_notification(payload)
