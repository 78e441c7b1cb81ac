"""The Lua scripts beside this file, called by digest and loaded again where a server does not know them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from streams.connection import Client
from streams.shards import Command, raised, shard_of, together

Argument = str | bytes | int


class Script:
    """One script. Safe to call again after any error: each of ours is idempotent."""

    def __init__(self, name: str) -> None:
        self.source = Path(__file__).with_name(f"{name}.lua").read_text()
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, client: Client, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run it and return its reply. Raises redis.RedisError."""
        try:
            return client.evalsha(self.digest, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return client.eval(self.source, len(keys), *keys, *args)

    def command(self, keys: Sequence[str], args: Sequence[Argument]) -> Command:
        """The call, by its digest."""
        return ("EVALSHA", self.digest, len(keys), *keys, *args)


Call = tuple[Script, Sequence[str], Sequence[Argument]]
"""A script, its keys and its arguments."""


def try_together(client: Client, calls: Sequence[Call]) -> list[Any]:
    """Run these in this order, in one round trip for each server that they concern. An error stands in the place of the
    reply that it came instead of."""
    replies = together(client, [script.command(keys, args) for script, keys, args in calls])
    unknown = {
        (shard_of(client, keys[0]), script)
        for (script, keys, _), reply in zip(calls, replies, strict=True)
        if isinstance(reply, redis.exceptions.NoScriptError)
    }
    if not unknown:
        return replies
    for shard, script in unknown:
        try:
            shard.script_load(script.source)
        except redis.RedisError:
            return replies
    return try_together(client, calls)


def run_together(client: Client, *calls: Call) -> list[Any]:
    """As above, but raises redis.RedisError, the first one."""
    return raised(try_together(client, calls))


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
