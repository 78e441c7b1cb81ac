"""What real processes export is what the table describes and the dashboard draws, and it says what has happened."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest
import yaml
from websockets.sync.client import connect

from tests.support import prometheus
from tests.support.database import migrated, new_sqlite
from tests.support.ports import free_port
from tests.support.redis_server import running_redis
from tests.support.scraping import exposition, scrape, total
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import running_worker, started_worker

PROJECT = Path(__file__).parents[2]
TOKEN = "for whoever scrapes this"  # noqa: S105
WORDS = ["Once ", "upon ", "a ", "time."]
Found = dict[str, dict[frozenset[tuple[str, str]], float]]


class Stack:
    def __init__(self, web: WebProcess, worker_port: int, model: ScriptedModel) -> None:
        self.web = web
        self.worker_port = worker_port
        self.model = model
        self.after_work: tuple[Found, Found]
        """What both told when they had done what `work` gave them, and nothing else yet."""

    def web_metrics(self) -> Found:
        return scrape(self.web.port, TOKEN)

    def worker_metrics(self) -> Found:
        return scrape(self.worker_port, TOKEN)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("metrics")
    with running_redis() as redis:
        yield {"REDIS_URL": redis.url, "DATABASE_URL": migrated(new_sqlite(folder)), "METRICS_TOKEN": TOKEN}


@pytest.fixture(scope="module")
def stack(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two web processes in one gunicorn, and a worker, that have had something to do."""
    folder, port = tmp_path_factory.mktemp("stack"), free_port()
    with ExitStack() as running:
        model = running.enter_context(running_scripted_model())
        brought = {**environment, "OPENAI_BASE_URL": model.base_url, "METRICS_PORT": str(port)}
        running.enter_context(running_worker(folder, **brought))
        web = running.enter_context(
            running_web(
                redis_url=environment["REDIS_URL"],
                database_url=environment["DATABASE_URL"],
                log=folder / "web.log",
                environment={**environment, "WEB_CONCURRENCY": "2"},
            )
        )
        started = Stack(web, port, model)
        wait_until(lambda: total(started.web_metrics(), "rejoinder_tails") == 0, what="both to have begun")
        work(started)
        yield started


def work(stack: Stack) -> None:
    """One answer, read to its end, and once more from the middle; one that the model refuses."""
    visitor = Visitor(stack.web.url)
    answer = visitor.ask("first", {"deltas": WORDS})
    answer.wait(60)
    following = read_on(stack, visitor, answer.stream, None)
    read_on(stack, visitor, answer.stream, f"{following['epoch']}:2")
    visitor.ask("refused", {"status": 401}).wait(60)
    wait_until(lambda: total(stack.worker_metrics(), "rejoinder_streams_ended_total") == 2, what="both to be saved")
    wait_until(lambda: total(stack.worker_metrics(), "rejoinder_generations_running") == 0, what="both to be over")
    for told, times in (("rejoinder_attaches_total", 2), ("rejoinder_resumes_total", 1)):  # each process has its tick
        wait_until(lambda told=told, times=times: total(stack.web_metrics(), told) == times, what=told)  # type: ignore[misc]
    stack.after_work = stack.web_metrics(), stack.worker_metrics()


def read_on(stack: Stack, visitor: Visitor, stream: str, position: str | None) -> dict[str, Any]:
    """Follow to the end, over a socket; what the server said first of it."""
    url = f"ws://127.0.0.1:{stack.web.port}/api/socket"
    with connect(url, additional_headers={"Cookie": visitor.cookie}) as socket:
        socket.send(json.dumps({"type": "follow", "stream": stream, **({"position": position} if position else {})}))
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] != "end":
            frames.append(json.loads(socket.recv(60)))
    return next(frame for frame in frames if frame["type"] == "following")


def test_what_has_happened_is_what_is_told(stack: Stack) -> None:
    web, worker = stack.after_work
    assert total(web, "rejoinder_sends_total", result="started") == 2
    route = "/api/conversations/<id:conversation_id>/messages"
    assert total(web, "rejoinder_http_requests_total", method="POST", route=route, status="202") == 2
    assert total(web, "rejoinder_attaches_total") == 2
    assert total(web, "rejoinder_resume_saved_bytes_total") > len("t:")
    assert total(web, "rejoinder_delivered_bytes_total") > len("".join(WORDS))
    assert total(worker, "rejoinder_generations_ended_total", outcome="finished", model="s") == 1
    assert total(worker, "rejoinder_streams_ended_total", outcome="failed") == 1
    assert total(worker, "rejoinder_model_refusals_total", kind="key") == 1
    assert total(worker, "rejoinder_tokens_total", kind="completion") == len(WORDS)
    assert total(worker, "rejoinder_deltas_total") == len(WORDS)
    assert total(worker, "rejoinder_characters_total") == len("".join(WORDS))
    assert total(worker, "rejoinder_first_token_seconds_count") == 1
    assert total(worker, "rejoinder_queue_wait_seconds_count") == 2
    assert total(worker, "rejoinder_flush_entries_sum") == total(worker, "rejoinder_chunks_total")
    assert total(worker, "rejoinder_generations_running") == 0


def expressions() -> list[str]:
    dashboard = json.loads((PROJECT / "telemetry" / "grafana.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\brejoinder_[a-z_]+", expression))


def test_every_name_in_the_dashboard_is_exported(stack: Stack) -> None:
    exported = set(stack.web_metrics()) | set(stack.worker_metrics())
    assert len(expressions()) > 30
    for expression in expressions():
        assert names_in(expression), expression
        assert names_in(expression) <= exported | SELDOM, expression


def test_a_real_prometheus_with_the_readmes_configuration_draws_all_of_the_dashboard(
    stack: Stack, tmp_path: Path
) -> None:
    if not prometheus.is_installed():
        pytest.skip("there is no Prometheus on this machine")
    [block] = re.findall(r"```yaml\n(.*?)```", (PROJECT / "telemetry" / "README.md").read_text(), re.DOTALL)
    config = yaml.safe_load(block)
    config["global"]["scrape_interval"] = "1s"
    for job, port in zip(config["scrape_configs"], (stack.web.port, stack.worker_port), strict=True):
        job["authorization"]["credentials"] = TOKEN
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
        prometheus.lint("metrics", given=exposition(port, TOKEN))
    with prometheus.running_prometheus(config, tmp_path) as scraping:
        # A rate needs two; and what is scraped twice is up.
        wait_until(lambda: len(scraping.query("sum_over_time(up[5m]) >= 2")) == 2, what="two scrapes of both")
        for expression in expressions():
            drawn = scraping.query(expression.replace("$__rate_interval", "5m"))
            assert drawn or names_in(expression) <= SELDOM, expression


# A counter whose labels are not known before is there from its first time on.
SELDOM = {"rejoinder_socket_refusals_total"}


def test_the_dashboard_groups_by_labels_that_there_are(stack: Stack) -> None:
    labels: dict[str, set[str]] = {}
    for found in (stack.web_metrics(), stack.worker_metrics()):
        for name, series in found.items():
            labels.setdefault(name, set()).update(label for each in series for label, _ in each)
    for expression in expressions():
        for by, rest in re.findall(r"sum by \(([^)]*)\) \((.*)", expression):
            name = names_in(rest).pop()
            assert set(by.split(", ")) <= labels[name], expression


def test_the_table_in_the_readme_names_every_metric_and_no_other(stack: Stack) -> None:
    suffix = re.compile(r"_(bucket|sum|count)$")
    web, worker = ({suffix.sub("", name) for name in found} for found in (stack.web_metrics(), stack.worker_metrics()))
    rows = re.findall(
        r"^\| `(rejoinder_[a-z_]+)` \|[^|]*\| (web|worker|both) \|",
        (PROJECT / "telemetry" / "README.md").read_text(),
        re.MULTILINE,
    )
    told = dict(rows)
    assert len(told) == len(rows)
    assert {name for name, where in told.items() if where in ("web", "both")} == web | SELDOM
    assert {name for name, where in told.items() if where in ("worker", "both")} == worker


def test_numbers_stand_for_all_processes_and_what_a_dead_one_held_is_gone(stack: Stack) -> None:
    visitor = Visitor(stack.web.url)
    answer = visitor.ask("held", {"deltas": ["x", {"wait": "never"}]})
    url = f"ws://127.0.0.1:{stack.web.port}/api/socket"
    with ExitStack() as sockets:
        for _ in range(6):  # the kernel decides which process gets each
            socket = sockets.enter_context(connect(url, additional_headers={"Cookie": visitor.cookie}))
            socket.send(json.dumps({"type": "follow", "stream": answer.stream}))
        wait_until(lambda: total(stack.web_metrics(), "rejoinder_viewers") == 6, what="all of them")
        before = total(stack.web_metrics(), "rejoinder_http_requests_total", status="202")
        for process in stack.web.children():
            process.kill()
        wait_until(lambda: alive(stack.web), what="others in their place")
        wait_until(lambda: total(stack.web_metrics(), "rejoinder_viewers") == 0, what="nobody to be left")
        assert total(stack.web_metrics(), "rejoinder_http_requests_total", status="202") == before
    assert "MonkeyPatchWarning" not in stack.web.log.read_text(), "their parent has loaded nothing that gevent patches"


def alive(web: WebProcess) -> list[psutil.Process]:
    try:
        return web.children() if web.is_alive() else []
    except (OSError, RuntimeError):
        return []


@pytest.mark.parametrize("port", ["web", "worker"])
def test_who_has_no_token_is_not_told(stack: Stack, port: str) -> None:
    for token in (None, "another one"):
        with pytest.raises(HTTPError) as refused:
            scrape(stack.web.port if port == "web" else stack.worker_port, token)
        with refused.value as answer:
            assert (answer.code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_second_worker_on_the_same_port_says_so_and_ends(
    stack: Stack, environment: dict[str, str], tmp_path: Path
) -> None:
    brought = {**environment, "OPENAI_BASE_URL": stack.model.base_url, "METRICS_PORT": str(stack.worker_port)}
    with started_worker(tmp_path, **brought) as second:
        assert second.wait(240) == 2
    assert f"METRICS_PORT={stack.worker_port}: Address already in use" in second.log
    assert "expected a port of its own for each worker" in second.log
    assert "Traceback" not in second.log
