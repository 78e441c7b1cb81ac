"""What a deployment installs, and no more, is enough for every line of the Procfile; and the image has all of ours."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from tests.support.database import new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model
from tests.support.visitor import Visitor
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment that holds requirements.txt."""
    environment = tmp_path_factory.mktemp("deployment") / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    installed = environment / "bin" / "python"
    as_locked = ["--require-hashes", "--no-deps", "-r", str(PROJECT / "requirements.txt")]
    subprocess.run([UV, "pip", "install", "--quiet", "--python", installed, *as_locked], check=True)
    return str(installed)


def test_requirements_txt_is_enough_to_migrate_to_ask_and_to_be_answered(python: str, tmp_path: Path) -> None:
    processes = parse_procfile((PROJECT / "Procfile").read_text()).processes
    assert processes == {
        "release": "python -m conversations.migrate",
        "web": "gunicorn --config webapp/gunicorn_conf.py webapp.wsgi:app",
        "worker": "python -m workers",
    }
    database_url = new_sqlite(tmp_path)
    environment = {**os.environ, "DATABASE_URL": database_url}
    subprocess.run([python, "-m", "conversations.migrate"], cwd=PROJECT, env=environment, check=True)
    with running_redis() as redis, running_scripted_model() as model:
        brought = {"REDIS_URL": redis.url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url}
        with (
            running_worker(tmp_path, python=python, **brought),
            running_web(redis_url=redis.url, database_url=database_url, log=tmp_path / "web.log", python=python) as web,
        ):
            answer = Visitor(web.url).ask("deployed", {"deltas": ["Here ", "I am."]})
            answer.wait(60)
            assert answer.recording()["text"] == "Here I am."
            assert len(model.requests()) == 1


def test_every_package_that_is_deployed_is_copied_into_the_image() -> None:
    linted = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    copied = (PROJECT / "Dockerfile").read_text().splitlines()
    let_in = (PROJECT / ".dockerignore").read_text().splitlines()
    for package in linted:
        assert f"COPY {package} {package}" in copied
        assert f"!{package}" in let_in
