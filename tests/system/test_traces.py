"""One trace from the click to the last token: real processes, and a collector that reads what they send."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.trace_collector import Collector, Told, running_collector
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker, started_worker

Traced = tuple[Visitor, ScriptedModel, Collector]

TRACE, CLICK = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
QUESTION, ANSWER = "Does a walrus blush?", ["Only ", "when ", "asked."]
NAMES = {"POST /api/conversations/<id:conversation_id>/messages", "enqueue", "queued", "generation", "chat", "save"}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A visitor of a web process and a worker, the model that it asks, and whoever is told of it."""
    folder = tmp_path_factory.mktemp("traced")
    database_url = migrated(new_sqlite(folder))
    with running_collector() as collector, running_redis() as redis, running_scripted_model() as model:
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        brought = {"REDIS_URL": redis.url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url}
        with (
            running_worker(folder, **brought, **told),
            running_web(redis_url=redis.url, database_url=database_url, log=folder / "w.log", environment=told) as web,
        ):
            yield Visitor(web.url), model, collector


def of_trace(collector: Collector, trace: str) -> dict[str, Told]:
    return {span.name: span for span in collector.spans if span.trace == trace}


def generations(collector: Collector, stream: str) -> list[Told]:
    return [span for span in collector.spans if span.name == "generation" and span.facts["stream_id"] == stream]


def test_one_trace_goes_from_the_click_to_the_last_token(traced: Traced) -> None:
    visitor, model, collector = traced
    conversation = visitor.converse("A title")
    model.script({"deltas": ANSWER})
    answer = visitor.say(conversation, QUESTION, {"traceparent": f"00-{TRACE}-{CLICK}-01"})
    wait_until(lambda: of_trace(collector, TRACE).keys() >= NAMES, what="all spans")

    spans = of_trace(collector, TRACE)
    assert spans.keys() == NAMES
    request = spans["POST /api/conversations/<id:conversation_id>/messages"]
    enqueue, queued, generation = spans["enqueue"], spans["queued"], spans["generation"]
    chat, save = spans["chat"], spans["save"]
    assert request.parent == CLICK
    assert enqueue.parent == request.id
    assert (queued.parent, generation.parent) == (enqueue.id, enqueue.id)
    assert (chat.parent, save.parent) == (generation.id, generation.id)
    assert (request.service, generation.service) == ("rejoinder-web", "rejoinder-worker")
    assert request.facts["http.response.status_code"] == "202"
    assert generation.facts["stream_id"] == answer.stream
    assert generation.facts["outcome"] == "finished"
    assert [name for name, _ in chat.events] == ["first token", "last token"]
    first, last = (at for _, at in chat.events)
    assert request.start <= enqueue.start <= generation.start <= chat.start <= first <= last <= chat.stop
    assert chat.stop <= save.start <= save.stop <= generation.stop
    [asked] = [request for request in model.requests() if TRACE in request["headers"]["traceparent"]]
    assert asked["headers"]["traceparent"] == f"00-{TRACE}-{chat.id}-01"
    sent = b"".join(collector.bodies)
    for words in (QUESTION, "".join(ANSWER), ANSWER[2], "A title"):
        assert words.encode() not in sent


def test_what_failed_is_marked_and_a_request_without_a_trace_begins_one(traced: Traced) -> None:
    visitor, model, collector = traced
    model.script({"status": 401, "error": {"message": f"no answer to {QUESTION}"}})
    answer = visitor.say(visitor.converse("refused"), QUESTION)
    answer.wait(60)
    [generation] = wait_until(lambda: generations(collector, answer.stream), what="its span")
    spans = of_trace(collector, generation.trace)
    assert generation.failed
    assert spans["chat"].failed
    assert not any(span.parent == CLICK for span in spans.values())
    assert QUESTION.encode() not in b"".join(collector.bodies)


def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(traced: Traced) -> None:
    visitor, _, collector = traced
    given = ("nonsense", f"00-{'0' * 32}-{CLICK}-01", "00-" + "g" * 32 + f"-{CLICK}-01")
    for each in given:
        visitor.open("/api/models", {"traceparent": each})
    wait_until(lambda: len(asked_for_models(collector)) == len(given), what="a span of each")
    assert {span.parent for span in asked_for_models(collector)} == {""}
    assert len({span.trace for span in asked_for_models(collector)}) == len(given)


def asked_for_models(collector: Collector) -> list[Told]:
    return [span for span in collector.spans if span.name == "GET /api/models"]


def test_without_the_packages_the_process_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("raise ImportError('as if it were not there')")
    environment = {
        "PYTHONPATH": str(tmp_path),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "OPENAI_API_KEY": "k",
    }
    with started_worker(tmp_path, **environment) as worker:
        assert worker.wait(240) == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed" in worker.log
    assert "requirements/traces.txt" in worker.log
    assert "Traceback" not in worker.log
