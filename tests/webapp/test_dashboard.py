"""rq-dashboard, for the administrator only."""

from base64 import b64encode
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from rq.job import JobStatus

from tests.support import hostile
from tests.webapp.people import send
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings

PASSWORD = "pässword"  # noqa: S105 (only for tests)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


HOSTILE = "<img src=x onerror=alert(1)>"
ADMIN = basic("admin", PASSWORD)


@pytest.fixture
def guarded(settings: Settings, services: Services) -> FlaskClient:
    """A visitor of an application that has a password."""
    return create_app(settings.model_copy(update={"admin_password": SecretStr(PASSWORD)}), services).test_client()


@pytest.mark.parametrize("path", ["/rq/", "/rq/0/data/queues.json", "/rq/static/css/main.css"])
@pytest.mark.parametrize("headers", [{}, ADMIN])
def test_without_a_password_there_is_no_dashboard(ada: FlaskClient, path: str, headers: dict[str, str]) -> None:
    assert ada.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "headers", [{}, basic("admin", "guess"), basic("root", PASSWORD), {"Authorization": f"Bearer {PASSWORD}"}]
)
def test_a_program_without_a_password_is_asked_for_it(guarded: FlaskClient, headers: dict[str, str]) -> None:
    response = guarded.get("/rq/", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic ")
    assert response.content_type == "application/problem+json"


def test_the_administrator_sees_queues_jobs_and_workers(
    guarded: FlaskClient, services: Services, settings: Settings
) -> None:
    conversation = guarded.post("/api/conversations").get_json()["id"]
    stream = send(guarded, conversation)["stream"]
    job = services.queue.fetch_job(stream)
    assert job is not None
    assert guarded.get("/rq/", headers=ADMIN).status_code == 200
    queues = guarded.get("/rq/0/data/queues.json", headers=ADMIN).get_json()["queues"]
    assert [(each["name"], each["count"]) for each in queues] == [("generations", 1)]
    jobs = guarded.get("/rq/0/data/jobs/generations/queued/8/asc/1.json", headers=ADMIN).get_json()["jobs"]
    assert [each["id"] for each in jobs] == [stream]
    shown = guarded.get(f"/rq/0/data/job/{stream}.json", headers=ADMIN)
    assert (shown.status_code, shown.get_json()["status"]) == (200, JobStatus.QUEUED)
    assert guarded.get("/rq/0/data/workers.json", headers=ADMIN).get_json() == {"workers": []}
    page = guarded.get("/rq/0/view/jobs/generations/queued/8/asc/1", headers=ADMIN)
    assert page.status_code == 200
    assert settings.redis_url not in page.text


def test_what_a_person_wrote_is_never_run_in_the_administrators_browser(
    guarded: FlaskClient, services: Services
) -> None:
    conversation = guarded.post("/api/conversations").get_json()["id"]
    body = {"content": HOSTILE, "model": HOSTILE}
    sent = guarded.post(f"/api/conversations/{conversation}/messages", json=body).get_json()
    shown = guarded.get(f"/rq/0/data/job/{sent['stream']}.json", headers=ADMIN)
    assert HOSTILE not in shown.text
    job = services.queue.fetch_job(sent["stream"])
    assert job is not None
    job.description = HOSTILE  # as if a job could say it all the same
    job.save()
    shown = guarded.get(f"/rq/0/data/job/{sent['stream']}.json", headers=ADMIN)
    assert "<" not in shown.text
    assert shown.get_json()["description"] == HOSTILE.replace("<", "&lt;")


@pytest.mark.parametrize("words", hostile.MARKUP.values(), ids=hostile.MARKUP)
def test_whatever_lies_in_redis_ends_no_attribute_and_begins_no_element(
    guarded: FlaskClient, services: Services, words: str
) -> None:
    job = services.queue.create_job("workers.jobs.generate", job_id="planted", description=words, result_ttl=60)
    job.meta = {words: [words]}
    services.queue.enqueue_job(job)
    services.redis.sadd("rq:queues", f"rq:queue:{words}")
    for path in ("job/planted", "jobs/generations/queued/8/asc/1", "queues"):
        shown = guarded.get(f"/rq/0/data/{path}.json", headers=ADMIN)
        assert shown.status_code == 200
        assert not [text for text in texts_of(shown.get_json()) if set(text) & set("<\"'")]
    for path in ("job/planted", "jobs/generations/queued/8/asc/1", "queues", "workers"):
        page = guarded.get(f"/rq/0/view/{path}", headers=ADMIN, follow_redirects=True)
        assert page.status_code == 200
        assert words not in page.text


def texts_of(told: Any) -> list[str]:
    """All that stands in some JSON."""
    if isinstance(told, dict):
        return [text for pair in told.items() for each in pair for text in texts_of(each)]
    if isinstance(told, list):
        return [text for each in told for text in texts_of(each)]
    return [told] if isinstance(told, str) else []


def test_another_site_cannot_use_the_administrators_browser(guarded: FlaskClient, services: Services) -> None:
    send(guarded, guarded.post("/api/conversations").get_json()["id"])
    path = "/rq/queue/generations/queued/empty"
    for site in ("cross-site", "same-site"):
        assert guarded.post(path, headers={**ADMIN, "Sec-Fetch-Site": site}).status_code == 403
    assert services.queue.count == 1
    assert guarded.post(path, headers={**ADMIN, "Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert services.queue.count == 0
