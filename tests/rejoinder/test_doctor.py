"""What the doctor finds: with real servers that are well, and with each that is not."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from conversations import ConversationSettings
from rejoinder.checks.database import check_database
from rejoinder.checks.findings import Check, Finding, Level, made, ok
from rejoinder.checks.model import check_model
from rejoinder.checks.redis_server import check_redis
from rejoinder.checks.software import check_packages, check_page
from rejoinder.checks.workers import check_workers
from tests.support.command import Ended, rejoinder
from tests.support.database import migrated, new_sqlite
from tests.support.ports import free_port
from tests.support.redis_cluster import RedisCluster, running_cluster
from tests.support.redis_server import RedisServer, running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.web_process import SECRET_KEY, running_web
from tests.support.worker_process import running_worker
from workers.settings import Settings

PASSWORD = "a password that nobody may see"  # noqa: S105
KEY = "sk-a-key-that-nobody-may-see"


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with running_scripted_model() as model:
        yield model


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis(durable=True) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(server.url) as client:
        yield client


def worst(findings: list[Finding]) -> list[tuple[Level, str, str]]:
    """What is to be mended."""
    return [(each.level, each.found, each.mend) for each in findings if each.level is not Level.OK]


def report(ended: Ended) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ended.stdout)["findings"]
    return found


def test_where_everything_runs_all_is_well(server: RedisServer, model: ScriptedModel, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<title>Rejoinder</title>")
    environment = {
        "REDIS_URL": server.url,
        "DATABASE_URL": migrated(new_sqlite(tmp_path)),
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": KEY,
        "OPENAI_MODEL": "scripted",
        "SECRET_KEY": SECRET_KEY,
        "PAGE_FOLDER": str(page),
    }
    model.script({"deltas": ["Yes."]})
    with (
        running_worker(tmp_path, **environment),
        running_web(
            redis_url=server.url,
            database_url=environment["DATABASE_URL"],
            log=tmp_path / "web.log",
            environment=environment,
        ) as web,
    ):
        ended = rejoinder("doctor", "--ask", "--url", web.url, environment=environment)
    told = ended.stdout.decode()
    assert ended.returncode == 0, told
    assert "wrong" not in told
    assert "“scripted” began to answer" in told
    assert "its WebSocket is open" in told
    assert "1 on the queue “generations”" in told
    assert ended.stderr == b""
    for secret in (KEY, SECRET_KEY):
        assert secret not in told


def test_every_complaint_of_both_processes_is_told_at_once_and_once(tmp_path: Path) -> None:
    environment = {
        "REDIS_URL": "http://localhost",
        "DATABASE_URL": "mysql://localhost/x",
        "DATABASE_POOL_SIZE": "0",
        "STREAM_LEASE": "soon",
        "STREAM_RETENTION": "-1",
        "WORKER_CONCURRENCY": "many",
        "HEARTBEAT_INTERVAL": "0",
        "LOG_FORMAT": "poetry",
        "SENTRY_DSN": "nowhere",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "nowhere",
        "WEB_CONCURRENCY": "some",
        "PAGE_FOLDER": str(tmp_path),
    }
    ended = rejoinder("doctor", "--json", environment=environment)
    assert ended.returncode == 1
    told = [each["found"] for each in report(ended) if each["about"] == "settings"]
    for variable in {*environment, "SECRET_KEY"} - {"PAGE_FOLDER"}:
        assert sum(variable in found for found in told) == 1, (variable, told)
    assert any("REDIS_URL" in found and "no web and no worker process" in found for found in told)
    assert any("SECRET_KEY" in found and "no web process" in found for found in told)


def test_the_settings_of_a_process_that_runs_elsewhere_are_not_asked_for(tmp_path: Path) -> None:
    environment = {"SECRET_KEY": SECRET_KEY, "REDIS_URL": f"unix://{tmp_path}/none"}
    found = report(rejoinder("doctor", "--json", "--for", "web", environment=environment))
    assert [each["level"] for each in found if each["about"] == "settings"] == ["ok"]
    assert not [each for each in found if each["about"] == "model"]


def test_no_secret_is_printed_whatever_is_wrong(client: "redis.Redis", model: ScriptedModel) -> None:
    client.config_set("requirepass", "another one")
    port = free_port()
    environment = {
        "REDIS_URL": f"redis://somebody:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/0",
        "DATABASE_URL": f"postgresql://somebody:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/x",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": KEY,
        "SECRET_KEY": SECRET_KEY[:20],
    }
    model.lists({"verbatim": f"HTTP/1.1 401 Unauthorized\r\n\r\n{{'error': 'the key {KEY} is not known'}}"})
    try:
        for arguments in (["--json"], []):
            ended = rejoinder("doctor", *arguments, environment=environment)
            told = (ended.stdout + ended.stderr).decode()
            assert ended.returncode == 1
            for secret in (PASSWORD, PASSWORD.replace(" ", "%20"), KEY, SECRET_KEY[:20]):
                assert secret not in told
    finally:
        model.lists([{"id": "scripted"}])


def test_a_redis_that_keeps_everything_is_well(server: RedisServer) -> None:
    assert worst(check_redis(server.url, "REDIS_URL", needed=19)) == []


def test_a_wrong_password_is_told_and_not_shown(server: RedisServer, client: "redis.Redis") -> None:
    client.config_set("requirepass", PASSWORD)
    url = server.url.replace("unix://", "unix://:guessed@")
    [(level, found, mend)] = worst(check_redis(url, "REDIS_URL", needed=19))
    assert (level, "does not accept this user and password" in found) == (Level.WRONG, True)
    assert mend.startswith("Put the right ones into REDIS_URL")
    assert "guessed" not in found


@pytest.mark.parametrize(
    ("setting", "value", "level", "words"),
    [
        ("maxmemory-policy", "allkeys-lru", Level.WRONG, "evicts what it likes"),
        ("appendonly", "no", Level.WARNING, "forgets what it holds"),
        ("maxclients", "10", Level.WRONG, "allows 10 connections"),
        ("maxclients", "19", Level.WARNING, "not enough for a second set"),
    ],
)
def test_a_redis_that_is_set_wrongly_is_told_what_to_set(
    server: RedisServer, client: "redis.Redis", setting: str, value: str, level: Level, words: str
) -> None:
    client.config_set(setting, value)
    [(said, found, mend)] = worst(check_redis(server.url, "REDIS_URL", needed=19))
    assert said is level
    assert words in found
    assert setting in mend or setting in found.replace("append-only", "appendonly")


def test_a_redis_that_is_nearly_full_is_a_warning_and_a_full_one_is_wrong(
    server: RedisServer, client: "redis.Redis"
) -> None:
    client.set("ballast", b"x" * 20_000_000)  # beside which it does not count what looking takes
    used = int(client.info("memory")["used_memory"])
    for most, level in ((used * 10 // 9, Level.WARNING), (used, Level.WRONG)):
        client.config_set("maxmemory", most)
        [(said, _, mend)] = worst(check_redis(server.url, "REDIS_URL", needed=19))
        assert (said, "maxmemory" in mend) == (level, True)


def test_a_replica_takes_nothing(server: RedisServer, client: "redis.Redis") -> None:
    client.replicaof("127.0.0.1", free_port())
    findings = worst(check_redis(server.url, "REDIS_URL", needed=19))
    assert any(level is Level.WRONG and "is a replica" in found for level, found, _ in findings)


def test_a_clock_that_is_off_is_a_warning(server: RedisServer) -> None:
    [(level, found, _)] = worst(check_redis(server.url, "REDIS_URL", needed=19, clock=lambda: 0.0))
    assert level is Level.WARNING
    assert "ahead of this machine's" in found


def test_a_user_who_may_not_run_scripts_is_told(server: RedisServer, client: "redis.Redis") -> None:
    client.execute_command("ACL SETUSER narrow on >word ~* &* +@all -script -eval -evalsha")  # type: ignore[no-untyped-call]
    url = server.url.replace("unix://", "unix://narrow:word@")
    [(level, found, _)] = worst(check_redis(url, "REDIS_URL", needed=19))
    assert level is Level.WRONG
    assert "may not do all that is needed" in found


def test_a_redis_that_is_away_or_says_nothing_is_told(server: RedisServer) -> None:
    [(level, found, _)] = worst(check_redis(f"redis://127.0.0.1:{free_port()}/0", "REDIS_URL", needed=19))
    assert (level, "cannot be reached" in found) == (Level.WRONG, True)
    server.pause()
    try:
        [(level, found, _)] = worst(check_redis(server.url, "REDIS_URL", needed=19, patience=0.2))
    finally:
        server.resume()
    assert (level, "does not answer within 0.2 s" in found) == (Level.WRONG, True)


def test_of_a_cluster_every_server_is_looked_at_and_the_whole(stack_of_servers: RedisCluster) -> None:
    cluster = stack_of_servers
    findings = check_redis(cluster.url, "STREAMS_REDIS_URL", needed=13)
    assert {level for level, _, _ in worst(findings)} == {Level.WARNING}  # none of it keeps anything on disk
    assert [each.found for each in findings if "the cluster holds all slots, on 3 primaries" in each.found]
    assert [each.found for each in findings if each.found == "runs our scripts"]
    for server in cluster.servers[:3]:
        assert any(f"127.0.0.1:{server.port} answers" in each.found for each in findings)

    cluster.servers[3].kill()  # the replica of the first primary …
    cluster.servers[0].kill()  # … and that one, so that nobody takes over
    findings = check_redis(cluster.url, "STREAMS_REDIS_URL", needed=13, patience=2)
    assert any(level is Level.WRONG for level, _, _ in worst(findings))


@pytest.fixture
def stack_of_servers() -> Iterator[RedisCluster]:
    with running_cluster() as cluster:
        yield cluster


def test_a_second_redis_is_looked_at_where_streams_have_one_of_their_own(server: RedisServer) -> None:
    with running_redis() as other:
        environment = {"SECRET_KEY": SECRET_KEY, "REDIS_URL": server.url, "STREAMS_REDIS_URL": other.url}
        found = report(rejoinder("doctor", "--json", "--for", "web", environment=environment))
    told = {each["about"]: each["found"] for each in found if "these processes need" in each["found"]}
    assert told["REDIS_URL"].endswith("these processes need 5")
    assert told["STREAMS_REDIS_URL"].endswith("these processes need 6")


def test_a_database_without_a_file_is_not_made_by_looking(tmp_path: Path) -> None:
    url = new_sqlite(tmp_path / "x")
    [(level, found, mend)] = worst(check_database(ConversationSettings(url)))
    assert (level, "there is no file" in found, "conversations.migrate" in mend) == (Level.WRONG, True, True)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_migrated_is_told_the_command(postgres: str) -> None:
    [(level, found, mend)] = worst(check_database(ConversationSettings(postgres)))
    assert (level, "has no tables" in found, "python -m conversations.migrate" in mend) == (Level.WRONG, True, True)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of something that accepts connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener.getsockname()[1]


def test_a_database_that_accepts_connections_and_says_nothing_is_given_up(silent: int) -> None:
    url = f"postgresql://somebody:{PASSWORD}@127.0.0.1:{silent}/x"
    [(level, found, _)] = worst(check_database(ConversationSettings(url), patience=2))
    assert (level, "does not answer" in found, PASSWORD in found) == (Level.WRONG, True, False)


def test_servers_that_accept_connections_and_say_nothing_are_all_told(silent: int, tmp_path: Path) -> None:
    """All of them are waited for at the same time, and none for longer than some seconds."""
    environment = {
        "REDIS_URL": f"redis://127.0.0.1:{silent}/0",
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{silent}/x",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{silent}/v1",
        "SECRET_KEY": SECRET_KEY,
        "PAGE_FOLDER": str(tmp_path),
    }
    ended = rejoinder("doctor", "--json", "--url", f"http://127.0.0.1:{silent}", environment=environment)
    assert ended.returncode == 1
    told = {each["about"] for each in report(ended) if each["level"] == "wrong"}
    assert told == {"REDIS_URL", "database", "model", "web", "page"}


def settings_for(base_url: str, **others: str) -> Settings:
    return Settings.model_validate({"openai_base_url": base_url, "openai_api_key": KEY, **others})


def test_a_model_that_is_not_known_is_told_with_those_that_are(model: ScriptedModel) -> None:
    [(level, found, mend)] = worst(check_model(settings_for(model.base_url, openai_model="gpt-6"), ask=False))
    assert (level, found) == (Level.WRONG, "“gpt-6” is not among them")
    assert "It has: scripted." in mend


def test_a_key_that_is_refused_is_told(model: ScriptedModel) -> None:
    model.lists({"verbatim": "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"})
    try:
        [(level, found, mend)] = worst(check_model(settings_for(model.base_url), ask=False))
    finally:
        model.lists([{"id": "scripted"}])
    assert (level, "does not accept the key" in found, "OPENAI_API_KEY" in mend) == (Level.WRONG, True, True)


def test_a_model_that_is_away_is_told(model: ScriptedModel) -> None:
    away = f"http://127.0.0.1:{free_port()}/v1"
    [(level, found, mend)] = worst(check_model(settings_for(away), ask=False))
    assert (level, away in found, "OPENAI_BASE_URL" in mend) == (Level.WRONG, True, True)
    assert model.requests() == [] or all(request["path"] for request in model.requests())


def test_no_tokens_are_spent_unless_asked_for(model: ScriptedModel) -> None:
    before = len(model.requests())
    settings = settings_for(model.base_url, openai_model="scripted")
    assert worst(check_model(settings, ask=False)) == []
    assert len(model.requests()) == before
    model.script({"status": 500, "error": {"message": "on fire"}})
    [(level, found, _)] = worst(check_model(settings, ask=True))
    assert (level, "on fire" in found) == (Level.WRONG, True)
    assert len(model.requests()) == before + 1


def test_a_queue_that_nobody_serves_is_wrong(server: RedisServer) -> None:
    [(level, found, mend)] = worst(check_workers(server.url, "generations"))
    assert (level, "none serves" in found, "python -m workers" in mend) == (Level.WRONG, True, True)


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    assert worst(check_packages()) == []
    lock = tmp_path / "requirements.txt"
    lock.write_text("flask==0.1 \\\n    --hash=sha256:abc\nabsent-thing==1 ; sys_platform == 'win32'\n")
    [(level, found, _)] = worst(check_packages(lock))
    assert (level, found.startswith("not as locked: flask ")) == (Level.WARNING, True)
    lock.write_text("absent-thing==1\n")
    assert worst(check_packages(lock))[0][0] is Level.WRONG
    assert worst(check_packages(tmp_path / "none"))[0][0] is Level.WARNING


def test_a_page_that_was_not_built_is_wrong(tmp_path: Path) -> None:
    assert worst(check_page(tmp_path))[0][0] is Level.WRONG


def test_a_check_that_hangs_or_breaks_keeps_no_other_from_being_told() -> None:
    never = threading.Event()

    def hang() -> list[Finding]:
        never.wait()
        return []

    def broken() -> list[Finding]:
        raise ZeroDivisionError("by zero")

    checks = [Check("a", hang, limit=0.05), Check("b", broken), Check("c", lambda: [ok("c", "well")])]
    assert [(each.about, each.level) for each in made(checks)] == [
        ("a", Level.WRONG),
        ("b", Level.WRONG),
        ("c", Level.OK),
    ]
    never.set()
