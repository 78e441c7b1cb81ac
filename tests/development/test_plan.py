"""What is embedded, what is brought along, and where it all is."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from development.plan import Unsuitable, make_plan, without_password
from development.state import State


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state") as state:
        yield state


def test_with_nothing_given_redis_and_model_are_embedded(state: State) -> None:
    plan = make_plan({}, state)
    assert plan.embedded == ["redis", "model"]
    assert plan.environ["REDIS_URL"] == f"unix://{state.folder}/redis.sock"
    assert plan.environ["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert plan.environ["DATABASE_URL"] == f"sqlite:///{state.folder}/rejoinder.sqlite3"


def test_the_embedded_model_is_not_asked_for_titles_unless_somebody_wants_it(state: State) -> None:
    assert make_plan({}, state).environ["TITLE_MODEL"] == "none"
    assert make_plan({"TITLE_MODEL": "m"}, state).environ["TITLE_MODEL"] == "m"
    assert "TITLE_MODEL" not in make_plan({"OPENAI_API_KEY": "k"}, state).environ


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_one_of_both_variables_is_a_model_of_ones_own(state: State, variable: str) -> None:
    plan = make_plan({variable: "http://localhost:11434/v1"}, state)
    assert plan.embedded == ["redis"]
    assert plan.environ[variable] == "http://localhost:11434/v1"
    assert "OPENAI_MODEL" not in plan.environ


def test_what_is_given_is_used(state: State) -> None:
    given = {
        "REDIS_URL": "redis://r/1",
        "DATABASE_URL": "postgresql://d/x",
        "SECRET_KEY": "s" * 40,
        "OPENAI_API_KEY": "k",
    }
    plan = make_plan(given, state)
    assert plan.embedded == []
    assert given.items() <= plan.environ.items()
    assert not (state.folder / "secret").exists()


def test_an_empty_variable_is_as_good_as_none(state: State) -> None:
    plan = make_plan({"REDIS_URL": "", "OPENAI_API_KEY": "", "PORT": ""}, state)
    assert plan.embedded == ["redis", "model"]


def test_the_secret_is_made_once_and_nobody_else_may_read_it(state: State) -> None:
    first, second = (make_plan({}, state).environ["SECRET_KEY"] for _ in range(2))
    assert first == second
    assert len(first) >= 32
    assert stat.S_IMODE((state.folder / "secret").stat().st_mode) == 0o600


def test_where_a_socket_path_would_be_too_long_redis_gets_a_port(tmp_path: Path) -> None:
    with State(tmp_path / ("deep" * 30)) as state:
        assert make_plan({}, state).environ["REDIS_URL"].startswith("redis://127.0.0.1:")


@pytest.mark.parametrize("name", ["with space", "a=b"])
def test_where_a_socket_path_would_confuse_rq_redis_gets_a_port(tmp_path: Path, name: str) -> None:
    with State(tmp_path / name) as state:
        assert make_plan({}, state).environ["REDIS_URL"].startswith("redis://127.0.0.1:")


@pytest.mark.parametrize("url", ["myhost:6379", "redis://host:port/0", "http://host"])
def test_a_redis_url_that_is_none_is_refused_without_repeating_it(state: State, url: str) -> None:
    with pytest.raises(Unsuitable, match="REDIS_URL") as refused:
        make_plan({"REDIS_URL": url}, state)
    assert url not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "direct"), [({}, "127.0.0.1,localhost"), ({"no_proxy": "a"}, "a,127.0.0.1,localhost")]
)
def test_what_runs_here_is_asked_past_any_proxy(state: State, given: dict[str, str], direct: str) -> None:
    environ = make_plan({"HTTP_PROXY": "http://proxy:3128", **given}, state).environ
    assert environ["NO_PROXY"] == environ["no_proxy"] == direct


def test_a_port_in_use_is_passed_over(state: State) -> None:
    first = make_plan({}, state).port
    with socket.create_server(("127.0.0.1", first)):
        assert make_plan({}, state).port != first


@pytest.mark.parametrize("port", ["http", "-1", "0", "99999999999"])
def test_a_port_that_is_none_is_refused(state: State, port: str) -> None:
    with pytest.raises(Unsuitable, match="PORT"):
        make_plan({"PORT": port}, state)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@host:6379/0", "redis://host:6379/0"),
        ("postgresql://me:secret@host/db?password=secret", "postgresql://host/db"),
        ("unix:///a/b.sock", "unix:///a/b.sock"),
        ("sqlite:////a/b.sqlite3", "sqlite:////a/b.sqlite3"),
    ],
)
def test_addresses_are_shown_without_passwords(url: str, shown: str) -> None:
    assert without_password(url) == shown
