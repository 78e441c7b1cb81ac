"""Where a key lies: on the one server that there is, or on one of a cluster's.

redis-py's cluster client knows which server holds what, and finds the way after a redirection. What it does not do is
here: what is sent together costs one round trip for each server, and one that is away fails for what it holds alone.
"""

# redis-py says the types of some of its methods only.
# mypy: disable-error-code="no-untyped-call"

import logging
from collections.abc import Sequence
from typing import Any

import redis
from redis.cluster import RedisCluster
from redis.exceptions import AskError, MovedError, RedisClusterException, TryAgainError

from streams.connection import Client

log = logging.getLogger(__name__)

Command = tuple[Any, ...]
"""A Redis command whose first argument is its key or channel, or EVALSHA; safe to run twice, as all of ours are."""

FIRST_KEY_OF_SCRIPT = 3  # EVALSHA digest numkeys key …


def shard_of(client: Client, key: str | bytes) -> "redis.Redis":
    """The server that holds this key, as far as is known: the same object for the same server."""
    if not isinstance(client, RedisCluster):
        return client
    shard: redis.Redis = client.get_redis_connection(client.get_node_from_key(key))
    return shard


def ping(client: Client) -> None:
    """Ask whether it is there; of a cluster, whether any of it is. Raises redis.RedisError if not."""
    servers = [client]
    if isinstance(client, RedisCluster):
        servers = [client.get_redis_connection(node) for node in client.get_primaries()]
    for server in servers[:-1]:
        try:
            server.ping()
        except redis.RedisError as error:
            log.info("one server of the cluster does not answer: %s", error)
        else:
            return
    servers[-1].ping()


def look_anew(client: Client) -> None:
    """Have a cluster say again which server holds what. If none of it answers, what was known before still counts."""
    if not isinstance(client, RedisCluster):
        return
    try:
        client.nodes_manager.initialize()
    except (redis.RedisError, RedisClusterException) as error:
        log.warning("the cluster does not say which server holds what: %s", error)


def moved(client: Client, error: MovedError) -> None:
    """A server of a cluster says that another one has a slot."""
    if isinstance(client, RedisCluster):
        client.nodes_manager.move_slot(error)


def together(client: Client, commands: Sequence[Command]) -> list[Any]:
    """Run these, in one round trip for each server that they concern; each server's in this order.

    An error stands in the place of the reply that it came instead of.
    """
    if not isinstance(client, RedisCluster):
        return _send(client, client, commands)
    places: dict[redis.Redis, list[int]] = {}
    for place, command in enumerate(commands):
        places.setdefault(shard_of(client, _key(command)), []).append(place)
    replies: list[Any] = [None] * len(commands)
    for shard, its in places.items():
        for place, reply in zip(its, _send(client, shard, [commands[place] for place in its]), strict=True):
            replies[place] = reply
    return replies


def raised(replies: list[Any]) -> list[Any]:
    """The replies, if there is no error among them; else raises the first one."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def _send(client: Client, shard: "redis.Redis", commands: Sequence[Command]) -> list[Any]:
    pipeline = shard.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    try:
        replies: list[Any] = pipeline.execute(raise_on_error=False)
    except redis.RedisError as error:
        look_anew(client)  # it may be gone, and another one have what it held
        return [error if shard_of(client, _key(command)) is shard else _follow(client, command) for command in commands]
    if any(isinstance(reply, redis.exceptions.ReadOnlyError) for reply in replies):
        shard.connection_pool.disconnect()  # it was demoted: as `connect` does for single calls
    if not any(isinstance(reply, REDIRECTIONS) for reply in replies):
        return replies
    look_anew(client)
    return [
        _follow(client, command) if isinstance(reply, REDIRECTIONS) else reply
        for command, reply in zip(commands, replies, strict=True)
    ]


def _key(command: Command) -> str | bytes:
    key: str | bytes = command[FIRST_KEY_OF_SCRIPT if command[0] == "EVALSHA" else 1]
    return key


REDIRECTIONS = (AskError, TryAgainError)  # the first is the base of MovedError


def _follow(client: Client, command: Command) -> Any:
    try:
        return client.execute_command(*command)
    except redis.RedisError as error:
        return error
