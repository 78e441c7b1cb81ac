"""The Lua scripts beside this file, called by digest and loaded again where a server does not know them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

Argument = str | bytes | int


class Script:
    """One script. Safe to call again after any error: each of ours is idempotent."""

    def __init__(self, name: str) -> None:
        self.source = Path(__file__).with_name(f"{name}.lua").read_text()
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, client: "redis.Redis", keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run it and return its reply. Raises redis.RedisError."""
        try:
            return client.evalsha(self.digest, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return client.eval(self.source, len(keys), *keys, *args)

    def queue(self, pipeline: Any, keys: Sequence[str], args: Sequence[Argument]) -> None:
        """Add the call to a pipeline. A NoScriptError among the replies asks for `load`, and to try again."""
        pipeline.evalsha(self.digest, len(keys), *keys, *args)

    def load(self, client: "redis.Redis") -> None:
        """Make the server know the script."""
        client.script_load(self.source)


Call = tuple[Script, Sequence[str], Sequence[Argument]]
"""A script, its keys and its arguments."""


def run_together(client: "redis.Redis", *calls: Call) -> list[Any]:
    """Run these in this order, in one round trip, and return their replies. Raises redis.RedisError, the first one."""
    pipeline = client.pipeline(transaction=False)
    for script, keys, args in calls:
        script.queue(pipeline, keys, args)
    replies: list[Any] = pipeline.execute(raise_on_error=False)
    if any(isinstance(reply, redis.exceptions.NoScriptError) for reply in replies):
        for script in {script for script, _, _ in calls}:
            script.load(client)
        return run_together(client, *calls)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


append = Script("append")
open_stream = Script("open")
end_stream = Script("end")
announce = Script("announce")
taken = Script("taken")
watch = Script("watch")
claim = Script("claim")
again = Script("again")
queued = Script("queued")
read = Script("read")
inspect = Script("inspect")

ALL = (append, open_stream, end_stream, announce, taken, watch, claim, again, queued, read, inspect)
"""Whoever looks whether a server takes them needs them all."""
