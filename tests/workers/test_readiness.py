"""Idle connections to a model's server are looked at without giving others their turn, in a process of greenlets."""

import subprocess
import sys
from contextlib import ExitStack

from tests.support.scripted_model import running_scripted_model

PROGRAM = """
from gevent import monkey

monkey.patch_all()
import sys

import gevent

from workers.backoff import Backoff
from workers.providers.openai_chat import OpenAIChat

chat = OpenAIChat(base_url=sys.argv[1], api_key=None, default_model="scripted", connections=4, connect_timeout=60,
                  attempts=1, patience=60, backoff=Backoff(), sleep=gevent.sleep)
list(chat.stream(None, [{"role": "user", "content": "Hello"}]))
[connection] = chat._client._client._transport._pool.connections
assert connection.is_idle()
turns = []


def others():
    while True:
        turns.append(1)
        gevent.sleep(0)


gevent.spawn(others)
gevent.sleep(0)
had = len(turns)
assert not connection.has_expired()  # httpcore asks under a lock, of every idle connection, for every request
assert len(turns) == had, "others had their turn"
print("open")
sys.stdout.flush()
sys.stdin.readline()  # meanwhile the server goes away
had = len(turns)
assert connection.has_expired()
assert len(turns) == had, "others had their turn"
chat.close()
assert connection._connection._network_stream.get_extra_info("is_readable"), "a closed one holds up nobody"
"""


def test_looking_whether_an_idle_connection_still_lives_gives_nobody_else_a_turn() -> None:
    with ExitStack() as models:
        model = models.enter_context(running_scripted_model())
        command = [sys.executable, "-c", PROGRAM, model.base_url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "open\n"
            models.close()
            process.communicate("\n", timeout=60)
    assert process.returncode == 0
