"""The real stack on one machine: web processes, workers, Redis, database, model; each can be broken and mended."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import redis
from rq.suspension import resume

import streams
from faults.logs import Logs
from jobs import job_ids
from tests.support.database import migrated, new_postgres, new_sqlite, postgres_line
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.generous import GENEROUS
from tests.support.ports import free_port
from tests.support.postgres_server import running_postgres
from tests.support.redis_cluster import RedisCluster, running_cluster
from tests.support.redis_server import RedisServer, running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.tcp_proxy import TcpProxy, running_proxy
from tests.support.waiting import wait_until
from tests.support.web_process import PROJECT, SECRET_KEY, WebProcess
from tests.support.worker_process import WorkerProcess

WEBS, WORKERS = 2, 2
ADMIN_PASSWORD = "not a secret either"  # noqa: S105
METRICS_TOKEN = "and neither is this"  # noqa: S105
SECRETS = {"SECRET_KEY": SECRET_KEY, "ADMIN_PASSWORD": ADMIN_PASSWORD, "METRICS_TOKEN": METRICS_TOKEN}
START = 240.0  # seconds for a process to be there, on a machine that is busy with other things
SQLITE, POSTGRESQL = "sqlite", "postgresql"

# The defaults that are shipped, but for these.
SETTINGS = {
    "HEARTBEAT_INTERVAL": "5",  # seconds; twice that is how long a viewer takes a dead connection for a living one
    "CHECKPOINT_INTERVAL": "1",  # seconds, so that a short answer has some
    "SHUTDOWN_GRACE": "3",  # seconds, so that a long answer outlives it
    "TITLE_MODEL": "none",  # titles are requests too, and requests are counted
    "MODEL_ATTEMPTS": "2",
    "FIRST_TOKEN_TIMEOUT": "15",
    "SILENCE_TIMEOUT": "15",
}


class Stack:
    """`heal` makes it whole again, whatever was done to it."""

    def __init__(
        self, folder: Path, services: ExitStack, database: str, in_cluster: bool, settings: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.project = PROJECT
        """The checkout whose processes are started."""
        self._services = services
        self.redis_server: RedisServer = services.enter_context(running_redis(durable=True, port=free_port()))
        self.redis = services.enter_context(streams.connect(self.redis_server.url))
        server = self.redis_server.socket
        self.web_line: FaultProxy = services.enter_context(fault_proxy(folder / "web.sock", server))
        self.worker_line: FaultProxy = services.enter_context(fault_proxy(folder / "worker.sock", server))
        self.model: ScriptedModel = services.enter_context(running_scripted_model())
        self.database_line: TcpProxy | None = None
        if database == SQLITE:
            self.database_url = served_url = migrated(new_sqlite(folder))
        else:
            self.database_url = migrated(new_postgres(services.enter_context(running_postgres())))
            self.database_line, served_url = services.enter_context(postgres_line(self.database_url))
        self.settings = {
            **SETTINGS,
            **settings,
            "DATABASE_URL": served_url,
            "OPENAI_BASE_URL": self.model.base_url,
        }
        self.cluster: RedisCluster | None = None
        self._in_cluster: streams.Client | None = None
        if in_cluster:
            self.cluster = services.enter_context(running_cluster())
            self.settings["STREAMS_REDIS_URL"] = self.cluster.url
            self._in_cluster = services.enter_context(streams.connect_streams(self.cluster.url))
        self.webs: list[WebProcess] = []
        self.workers: list[WorkerProcess] = []
        self.logs = Logs(folder)
        self._environment: dict[str, str] = {}
        services.callback(self._end)

    def heal(self) -> None:
        """As many processes as there should be, awake, and everything between them working, whatever was done to it."""
        for line in (self.web_line, self.worker_line):
            line.mend()
        if self.database_line:
            self.database_line.heal()
        if self.redis_server.process is None:
            self.redis_server.start(self._environment)
        self.redis_server.resume()
        for pid in (*(web.process.pid for web in self.webs), *(worker.process.pid for worker in self.workers)):
            wake(pid)
        self.redis.config_set("maxmemory", 0)
        self.redis.replicaof("NO", "ONE")
        if self.cluster:
            self.cluster.heal()
        resume(self.redis)
        self.webs = [web for web in self.webs if web.process.poll() is None]
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        self.start_webs(WEBS - len(self.webs))
        self.start_workers(WORKERS - len(self.workers))

    # -- Redis

    @property
    def stream_redis(self) -> streams.Client:
        """Where streams are; `redis` is where RQ's queue is."""
        return self._in_cluster or self.redis

    @property
    def redis_servers(self) -> list[redis.Redis]:
        """Every one that has something."""
        return [self.redis, *(each.client for each in (self.cluster.primaries if self.cluster else []))]

    def start_replica(self) -> tuple[RedisServer, TcpProxy]:
        """A copy of the Redis server, which keeps up with it, and the line over which it does."""
        line = self._services.enter_context(running_proxy(self.redis_server.port))
        replica = self._services.enter_context(running_redis(durable=True, port=free_port()))
        with streams.connect(replica.url) as client:
            client.replicaof("127.0.0.1", str(line.port))
            wait_until(lambda: client.info("replication")["master_link_status"] == "up", 60, "the replica to be one")
        return replica, line

    def promote(self, replica: RedisServer) -> None:
        """Make it the Redis server. Connections that are open stay where they are."""
        with streams.connect(replica.url) as client:
            client.replicaof("NO", "ONE")
        self.redis_server = replica
        self.redis = self._services.enter_context(streams.connect(replica.url))
        for line in (self.web_line, self.worker_line):
            line.serve(replica.socket)

    # -- web processes

    def ports(self) -> list[int]:
        """Where the web processes listen."""
        return [web.port for web in self.webs]

    def start_webs(self, count: int) -> list[WebProcess]:
        """So many more, which answer."""
        environment = {**self.settings, **self._environment, "REDIS_URL": self.web_line.url}
        environment |= SECRETS | GENEROUS
        started = [WebProcess(environment, self.logs.new("web"), project=self.project) for _ in range(count)]
        for web in started:
            wait_until(web.is_alive, START, "a web process to answer")
        self.webs += started
        return started

    def forget_web(self, web: WebProcess) -> None:
        """As a router does with one that it takes out of service."""
        self.webs.remove(web)

    # -- workers

    def start_workers(self, count: int) -> list[WorkerProcess]:
        """So many more, which serve."""
        environment = {**self.settings, **self._environment, "REDIS_URL": self.worker_line.url}
        started = [
            WorkerProcess(
                {**environment, "METRICS_PORT": str(free_port())}, self.logs.new("worker"), project=self.project
            )
            for _ in range(count)
        ]
        for worker in started:
            worker.wait_until_serving()
        self.workers += started
        return started

    def start_worker_on_a_line_of_its_own(self) -> tuple[WorkerProcess, FaultProxy]:
        """One more, and its own way to Redis."""
        log = self.logs.new("worker")
        line = self._services.enter_context(fault_proxy(log.with_suffix(".sock"), self.redis_server.socket))
        environment = {**self.settings, **self._environment, "REDIS_URL": line.url}
        worker = WorkerProcess(environment, log)
        worker.wait_until_serving()
        self.workers.append(worker)
        return worker, line

    def wait_suspended(self) -> None:
        """Until no worker takes a job any more; `rq.suspension.suspend` has told them."""
        keys = [f"rq:worker:{name.decode().rpartition(':')[2]}" for name in self.redis.smembers("rq:workers")]
        wait_until(lambda: {self.redis.hget(key, "state") for key in keys} <= {b"suspended", None}, 60, "a pause")

    def worker_of(self, stream: str) -> WorkerProcess:
        """Who writes this stream, as RQ knows it."""

        def found() -> WorkerProcess | None:
            name = self.redis.hget(f"rq:job:{stream}", "worker_name")
            pid = self.redis.hget(f"rq:worker:{name.decode()}", "pid") if name else None
            return next((worker for worker in self.workers if pid and worker.process.pid == int(pid)), None)

        worker = wait_until(found, 60, f"a worker to take {stream}")
        assert worker is not None
        return worker

    def may_be_with(self, worker: WorkerProcess, stream: str) -> bool:
        """Whether this worker has, or had, a job of this stream's; also where Redis has forgotten who had it."""
        names = [self.redis.hget(f"rq:job:{job}", "worker_name") for job in job_ids(stream)]
        if not any(self.redis.exists(f"rq:job:{job}") for job in job_ids(stream)):
            return True
        pids = [self.redis.hget(f"rq:worker:{name.decode()}", "pid") for name in names if name]
        return any(pid is None or int(pid) == worker.process.pid for pid in pids)

    # -- all of them

    def restart_with(self, environment: dict[str, str]) -> None:
        """Start everything anew with these variables, Redis with its data."""
        for web in self.webs:
            web.terminate()
        for worker in self.workers:
            worker.terminate()
            worker.wait()
        self.redis_server.kill()
        self.redis_server.start(environment)
        self._environment = environment
        self.heal()

    def _end(self) -> None:
        for web in self.webs:
            if web.process.poll() is None:
                web.kill()
        for worker in self.workers:
            worker.kill()


@contextmanager
def running_stack(
    folder: Path,
    database: str = SQLITE,
    *,
    in_cluster: bool = False,
    settings: Mapping[str, str] | None = None,
    project: Path = PROJECT,
) -> Iterator[Stack]:
    """A whole stack for the length of the block, if so with its streams in a cluster; `settings` beside SETTINGS."""
    with ExitStack() as services:
        stack = Stack(folder, services, database, in_cluster, settings or {})
        stack.project = project
        stack.heal()
        yield stack


def wake(pid: int) -> None:
    """End a pause (SIGSTOP) of this process and of those that it started. One that has ended sleeps well."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            each.send_signal(signal.SIGCONT)


def now() -> float:
    """The clock of all measurements (monotonic, seconds)."""
    return time.monotonic()
