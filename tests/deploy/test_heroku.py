"""What Heroku's build packs make of a clone, run as Heroku runs it, beside the smallest Redis that it rents out."""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
import redis
from sqlalchemy import make_url

from tests.support.crowd import watch_together
from tests.support.database import new_postgres
from tests.support.generous import LEASE
from tests.support.ports import free_port
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.slug import PROJECT, Dyno, Slug
from tests.support.tls_line import tls_line
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from webapp.settings import Settings as WebSettings
from workers.settings import Settings as WorkerSettings

MANIFEST = json.loads((PROJECT / "app.json").read_text())
SMALLEST_PLAN = 20  # connections to Redis
VIEWERS = 1_000
IDLE_CUT = 55.0  # seconds without a byte, after which the router ends a connection
KILLED_AFTER = 30.0  # seconds from SIGTERM to SIGKILL
SECRET = "3f9c1d07a8e25b46c04be7912fd83a65d1b7406e9ac2f853857e20bd64f91ac3"  # noqa: S105  # as many characters as Heroku's generator makes

pytestmark = pytest.mark.timeout(900)  # builds the project from nothing, on a machine that may be busy


@dataclass(frozen=True)
class App:
    """A release that runs."""

    url: str
    web: Dyno
    worker: Dyno
    model: ScriptedModel
    redis: "redis.Redis"


@contextmanager
def running_app(slug: Slug, postgres: str, folder: Path, **changed: str) -> Iterator[App]:
    """Release it and start one dyno of each type, with the variables of app.json and what the add-ons give."""
    types = slug.process_types()
    with ExitStack() as stack:
        server = stack.enter_context(running_redis())
        client = stack.enter_context(redis.Redis.from_url(server.url))
        model = stack.enter_context(running_scripted_model())
        variables = {
            **{name: each["value"] for name, each in MANIFEST["env"].items() if "value" in each},
            "SECRET_KEY": SECRET,
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_MODELS": "s",
            "TITLE_MODEL": "none",  # tests count requests
            "REDIS_URL": f"rediss://:@127.0.0.1:{stack.enter_context(tls_line(server.socket))}",
            "DATABASE_URL": as_rented(new_postgres(postgres)),
            "STREAM_LEASE": LEASE,
            **changed,
        }
        client.config_set("maxclients", SMALLEST_PLAN * int(variables["WEB_CONCURRENCY"]))
        assert "tables made" in slug.run(types["release"], variables)
        port = free_port()
        web = slug.dyno(types["web"], {**variables, "PORT": str(port)}, folder / "web.log")
        worker = slug.dyno(types["worker"], variables, folder / "worker.log")
        app = App(f"http://127.0.0.1:{port}", stack.enter_context(web), stack.enter_context(worker), model, client)
        wait_until(lambda: app.worker.said("serving"), 300, "the worker")
        wait_until(lambda: app.web.said("Booting worker") and is_ready(port), 300, "the web process")
        yield app


def as_rented(url: str) -> str:
    """As the add-on writes it: over TCP, and beginning with postgres://."""
    place = make_url(url)
    return f"postgres://postgres@127.0.0.1:{place.query['port']}/{place.database}"


def is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_a_thousand_viewers_are_served_over_the_connections_of_the_smallest_plan(
    slug: Slug, postgres: str, tmp_path: Path
) -> None:
    with running_app(slug, postgres, tmp_path) as app:
        owner = Visitor(app.url)
        conversation = owner.converse("watched by many")
        answer = owner.send(conversation, {"deltas": ["Here ", {"wait": "all are here"}, "I am."]})

        def go_on() -> None:
            assert len(app.redis.client_list()) <= SMALLEST_PLAN
            app.model.release("all are here")

        share = owner.share(conversation)
        copies = watch_together(app.url, share, answer.stream, VIEWERS, go_on)
        assert {copy.text for copy in copies} == {"Here I am."}
        assert len(app.redis.client_list()) <= SMALLEST_PLAN
        assert app.redis.info("stats")["rejected_connections"] == 0


def test_sigterm_to_all_processes_lets_a_running_answer_end_and_all_are_gone_before_they_are_killed(
    slug: Slug, postgres: str, tmp_path: Path
) -> None:
    with running_app(slug, postgres, tmp_path, WEB_CONCURRENCY="2") as app:
        owner = Visitor(app.url)
        answer = owner.ask("deployed in mid-answer", {"deltas": ["Here ", {"wait": "leaving"}, "I am."]})
        wait_until(lambda: owner.read(answer.stream)["text"] == "Here ")
        app.worker.terminate()
        wait_until(lambda: app.worker.said("leaving"), what="the worker to hear it")
        app.model.release("leaving")
        answer.wait(KILLED_AFTER)
        assert (answer.recording()["text"], answer.recording()["end"]["outcome"]) == ("Here I am.", "finished")
        assert app.worker.process.wait(KILLED_AFTER) == 0
        app.web.terminate()
        assert app.web.process.wait(KILLED_AFTER) == 0
        assert len(app.model.requests()) == 1


def test_the_router_finds_no_socket_idle_and_a_shutdown_fits_into_its_patience() -> None:
    assert WebSettings.model_fields["heartbeat_interval"].default < IDLE_CUT / 2
    assert WorkerSettings.model_fields["shutdown_grace"].default < KILLED_AFTER


def test_the_manifest_names_only_settings_that_exist_and_the_process_types_of_the_procfile(slug: Slug) -> None:
    known = set(re.findall(r"^\| `([A-Z_]+)` \|", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert set(MANIFEST["env"]) <= known
    assert MANIFEST["env"]["SECRET_KEY"]["generator"] == "secret"
    assert set(MANIFEST["formation"]) == set(slug.process_types()) - {"release"}
    # The last one decides what runs; the page is in the slug before it.
    assert [pack["url"] for pack in MANIFEST["buildpacks"]] == ["heroku/nodejs", "heroku/python"]


def test_the_slug_holds_the_built_page_and_nothing_that_only_a_developer_needs(slug: Slug) -> None:
    page = slug.folder / "frontend" / "dist"
    assert (page / "index.html").is_file()
    assert not (slug.folder / "frontend" / "node_modules").exists()
    assert not (slug.folder / "tests").exists()


def test_the_versions_of_python_that_platforms_are_told_agree() -> None:
    version = (PROJECT / ".python-version").read_text().strip()
    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"] == f">={version}"
