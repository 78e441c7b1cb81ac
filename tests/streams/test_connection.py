"""Connections find the server that takes writes, without being told."""

from pathlib import Path

import streams
from tests.support.fault_proxy import fault_proxy
from tests.support.ports import free_port
from tests.support.redis_server import running_redis
from tests.support.waiting import wait_until


def test_after_a_failover_a_connection_to_the_old_primary_is_given_up_for_the_new_one(tmp_path: Path) -> None:
    with (
        running_redis(port=free_port()) as old,
        running_redis(port=free_port()) as new,
        fault_proxy(tmp_path / "p.sock", old.socket) as line,
        streams.connect(line.url) as client,
        streams.connect(old.url) as at_old,
        streams.connect(new.url) as at_new,
    ):
        client.set("before", 1)
        line.serve(new.socket)
        at_old.replicaof("127.0.0.1", str(new.port))
        wait_until(lambda: at_old.info("replication")["master_link_status"] == "up")
        client.set("after", 1)
        assert at_new.get("after") == b"1"
