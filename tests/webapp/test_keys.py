"""What lies in Redis is what the documents tell of: every kind of key, and which of them stay."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from faults.invariants import LASTING
from streams import End, Offer, Outcome, StreamWriter, publish_offer
from telemetry.presence import Presence, Report
from tests.support.writing import write
from tests.webapp.people import send, share
from tests.webapp.test_dashboard import ADMIN, PASSWORD, basic
from webapp.following.audience import Audience
from webapp.services import Services

PROJECT = Path(__file__).parents[2]
DOCS = [PROJECT / "docs" / "operations.md", PROJECT / "streams" / "README.md"]


def documented() -> dict[str, bool]:
    """Every kind of key, as a pattern, and whether such keys stay for ever."""
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for path in DOCS
        for line in path.read_text().splitlines()
        if line.startswith("| `rejoinder:")
    ]
    return {
        pattern(key): cells[3].startswith("never")
        for cells in rows
        if cells[1] != "channel"
        for key in re.findall("`([^`]+)`", cells[0])
    }


def pattern(key: str) -> str:
    return re.sub("<[^>]+>", "[^:]+", re.sub(r"([{}])", r"\\\1", key))


@pytest.fixture
def everything(open_app: Callable[..., OpenAPI], begin: Callable[[str], StreamWriter]) -> Services:
    """An application of which everything was used that leaves something in Redis."""
    app = open_app(admin_password=SecretStr(PASSWORD), sends_per_identity="10/hour")
    services: Services = app.extensions["services"]
    ada = app.test_client()
    conversation = str(ada.post("/api/conversations").get_json()["id"])
    share(ada, conversation)
    writer = begin(send(ada, conversation)["stream"])
    write(writer, "Once")
    writer.end(End(Outcome.FINISHED))
    assert writer.wait_stored(60)
    services.reaper.look()
    publish_offer(services.stream_redis, services.settings.rq_queue, Offer("a-model", ("a-model",)))
    Audience(services.stream_redis).report({conversation: 1})
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.1"}):
        services.limits.connect()
    Presence(services.redis, "worker", lambda: Report({}, {"deltas": 1}, {})).say()
    services.sampler.look()
    ada.get("/vitals", headers=basic("admin", "a guess"))
    ada.get("/vitals", headers=ADMIN)
    ada.post("/admin/login", data={"password": PASSWORD})
    ada.post("/admin/logout")
    return services


def test_every_kind_of_key_is_documented_and_there_are_no_others(everything: Services) -> None:
    kinds = documented()
    assert len(kinds) > 10
    ours = [key.decode() for key in everything.redis.scan_iter("*") if not key.startswith(b"rq:")]
    kinds_of = {key: [kind for kind in kinds if re.fullmatch(kind, key)] for key in ours}
    assert [key for key, fitting in kinds_of.items() if not fitting] == []
    assert {kind for fitting in kinds_of.values() for kind in fitting} == set(kinds)


def test_what_stays_for_ever_is_what_is_documented_to(everything: Services) -> None:
    kinds = documented()
    for key in (key.decode() for key in everything.redis.scan_iter("rejoinder:*")):
        stays = any(forever for kind, forever in kinds.items() if re.fullmatch(kind, key))
        assert (key, everything.redis.ttl(key) == -1) == (key, stays)
        assert (key, bool(LASTING.fullmatch(key))) == (key, stays), "what faults/ leaves be"
