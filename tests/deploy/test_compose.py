"""docker-compose.yml: valid, and its commands, in its order and with its variables, are an application that answers."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.caddy import running_caddy
from tests.support.database import new_postgres
from tests.support.image import stages, unpack
from tests.support.ports import free_port
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
from tests.support.slug import PROJECT, Slug
from tests.support.socket_client import connected
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

FILE = PROJECT / "docker-compose.yml"
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "rejoinder"}
SECRET = "3f9c1d07a8e25b46c04be7912fd83a65d1b7406e9ac2f853857e20bd64f91ac3"  # noqa: S105

pytestmark = pytest.mark.timeout(900)  # builds the page


def interpolated(value: str, variables: Mapping[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:?why it is needed}`, as Compose reads them."""

    def found(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if variables.get(name):
            return variables[name]
        assert kind == "-", f"{name} is needed: {rest}"
        return rest

    return re.sub(r"\$\{(\w+):([-?])([^}]*)\}", found, value)


def environ(service: str, variables: Mapping[str, str]) -> dict[str, str]:
    """What a container of this service sees."""
    named = {name: interpolated(value, variables) for name, value in OURS[service]["environment"].items()}
    return {**{name: value for name, value in stages()[-1].environ.items() if name != "PATH"}, **named}


def command(service: str) -> list[str]:
    return OURS[service].get("command") or stages()[-1].command


def test_it_is_as_the_schema_of_compose_files_wants_it() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    said = subprocess.run([checker, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_compose_itself_can_read_it() -> None:
    program = ["docker", "compose"]
    there = shutil.which("docker") and subprocess.run([*program, "version"], capture_output=True).returncode == 0
    if not there:
        pytest.skip("there is no `docker compose` on this machine")
    said = subprocess.run(
        [*program, "-f", FILE, "config", "-q"], capture_output=True, text=True, env={"SECRET_KEY": "x"}
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_everything_waits_for_what_it_needs_to_be_well() -> None:
    assert (
        set(SERVICES["web"]["depends_on"]) == set(SERVICES["worker"]["depends_on"]) == {"redis", "postgres", "release"}
    )
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert SERVICES[name].get("healthcheck") or command(name) == stages()[-1].command, name


def test_only_what_is_to_be_scaled_has_no_port_of_the_machine() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["front", "dashboard"]
    assert not [name for name, service in SERVICES.items() if "container_name" in service]


def test_without_a_key_that_signs_cookies_nothing_starts() -> None:
    with pytest.raises(AssertionError, match="SECRET_KEY is needed"):
        environ("web", {})


def test_settings_that_are_named_reach_all_processes_and_are_of_the_table() -> None:
    known = set(re.findall(r"^\| `([A-Z_]+)` \|", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE))
    for service in OURS:
        passed = environ(service, {"SECRET_KEY": SECRET, "OPENAI_MODELS": "a,b"})
        assert passed["OPENAI_MODELS"] == "a,b"
        assert set(OURS[service]["environment"]) <= known


def test_its_commands_in_its_order_with_its_variables_answer_through_the_front(
    slug: Slug, postgres: str, tmp_path: Path
) -> None:
    image = Slug(unpack(tmp_path / "image", slug.folder / "frontend" / "dist"), slug.packages)
    inside, outside = free_port(), free_port()
    with ExitStack() as stack:
        redis, model = stack.enter_context(running_redis()), stack.enter_context(running_scripted_model())
        # The hosts of the file do not exist here: what it lets one name is named.
        brought = {
            "SECRET_KEY": SECRET,
            "OPENAI_BASE_URL": model.base_url,
            "TITLE_MODEL": "none",
            "REDIS_URL": redis.url,
            "DATABASE_URL": new_postgres(postgres),
        }
        web = environ("web", brought) | {"PORT": str(inside)}
        assert "tables made" in image.run(" ".join(command("release")), environ("release", brought))
        serving = stack.enter_context(image.dyno(" ".join(command("web")), web, tmp_path / "web.log"))
        health = [str(slug.packages / "bin" / "python"), *stages()[-1].health[1:]]
        wait_until(
            lambda: (
                not serving.said("no such line")
                and subprocess.run(health, env=web, capture_output=True).returncode == 0
            ),
            300,
            "the web process to be well",
        )
        worker = stack.enter_context(
            image.dyno(" ".join(command("worker")), environ("worker", brought), tmp_path / "worker.log")
        )
        wait_until(lambda: worker.said("serving"), 300, "the worker")
        places = {"FRONT_PORT": str(outside), "WEB_HOST": "127.0.0.1", "WEB_PORT": str(inside)}
        config = PROJECT / SERVICES["front"]["volumes"][0].split(":")[0]
        stack.enter_context(running_caddy(config, outside, tmp_path, places))

        board = environ("dashboard", brought) | {"PORT": str(free_port()), "ADMIN_PASSWORD": "correct horse"}
        stack.enter_context(image.dyno(" ".join(command("dashboard")), board, tmp_path / "dashboard.log"))
        asked = [text.replace("8000", board["PORT"]) for text in OURS["dashboard"]["healthcheck"]["test"][3:]]
        well = [str(slug.packages / "bin" / "python"), "-c", *asked]
        wait_until(lambda: subprocess.run(well, capture_output=True).returncode == 0, 300, "the dashboard to be well")

        visitor = Visitor(f"http://127.0.0.1:{outside}")
        answer = visitor.ask("composed", {"deltas": ["Here ", {"wait": "watched"}, "I am."]})
        with connected(f"http://127.0.0.1:{outside}", visitor.cookie) as page:
            page.say(type="follow", stream=answer.stream)
            page.receive_text("Here ")
            model.release("watched")
            page.receive_until("end")
            assert page.text == "Here I am."
