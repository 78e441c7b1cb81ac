"""In a process of greenlets nobody else has a turn while somebody only asks whether a connection is still good."""

import subprocess
import sys
from contextlib import ExitStack

from tests.support.redis_server import running_redis
from tests.support.scripted_model import running_scripted_model

PROGRAM = """
from gevent import monkey

monkey.patch_all()
import sys

import gevent
import httpx2

import streams
from streams.greenlets import poll_at_once

poll_at_once()
http = httpx2.Client()
http.get(f"{sys.argv[1]}/models").raise_for_status()
[connection] = http._transport._pool.connections
assert connection.is_idle()
client = streams.connect(sys.argv[2], max_connections=1)
client.ping()
turns = []


def others():
    while True:
        turns.append(1)
        gevent.sleep(0)


gevent.spawn(others)
gevent.sleep(0)
had = len(turns)
assert not connection.has_expired()  # httpcore asks under a lock, of every idle connection, for every request
to_redis = client.connection_pool.get_connection()  # which asks whether it is clean
assert len(turns) == had, "others had their turn"
print("open")
sys.stdout.flush()
sys.stdin.readline()  # meanwhile the server goes away
had = len(turns)
assert connection.has_expired()
assert len(turns) == had, "others had their turn"
http.close()
assert connection._connection._network_stream.get_extra_info("is_readable"), "a closed one holds up nobody"
had = len(turns)
assert not to_redis.can_read(timeout=0.01)
assert len(turns) > had, "who waits does not keep others waiting"
"""


def test_looking_whether_an_idle_connection_still_lives_gives_nobody_else_a_turn() -> None:
    with running_redis() as redis_server, ExitStack() as models:
        model = models.enter_context(running_scripted_model())
        command = [sys.executable, "-c", PROGRAM, model.base_url, redis_server.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "open\n"
            models.close()
            process.communicate("\n", timeout=60)
    assert process.returncode == 0
