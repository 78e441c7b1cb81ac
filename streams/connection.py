"""The ways to connect to Redis, with limits that suit long-lived processes.

One server (`redis://`, `rediss://`, `unix://`), the primary that Sentinels know (`redis+sentinel://`), or a cluster
(`redis+cluster://`). Everything in this package takes a `Client` and does not ask which it is; shards.py does.
"""

# redis-py says the types of some of its methods only.
# mypy: disable-error-code="no-untyped-call"

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import redis
from redis.backoff import FullJitterBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

CONNECT_TIMEOUT = 5.0  # seconds
MAX_CONNECTIONS = 5  # per client; a call takes less than a millisecond, and the smallest hosted plans allow 20 in all
REPLY_TIMEOUT = 5.0  # seconds; a server that takes longer is treated as away, and asked again

SENTINEL, CLUSTER = "+sentinel", "+cluster"
ONE_SERVER = "redis://, rediss:// or unix://, or with redis+sentinel:// or rediss+sentinel://"
ANY_STORE = f"{ONE_SERVER}, or with redis+cluster:// or rediss+cluster://"
NO_SERVICE = "it must name the service that the Sentinels watch: redis+sentinel://host:26379,host:26379/service"


class Cluster(RedisCluster):
    """redis-py's client, all of whose errors are redis.RedisError, as those of its other clients are."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except redis.exceptions.RedisClusterException as error:
            raise redis.ConnectionError(str(error)) from error

    def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_command(*args, **options)
        except redis.exceptions.RedisClusterException as error:
            raise redis.ConnectionError(str(error)) from error

    def get_node_from_key(self, *args: Any, **options: Any) -> Any:
        try:
            return super().get_node_from_key(*args, **options)
        except redis.exceptions.RedisClusterException as error:
            raise redis.ConnectionError(str(error)) from error


class _SentinelPool(SentinelConnectionPool, redis.BlockingConnectionPool):
    """Asks the Sentinels who the primary is, for each new connection."""


Client = redis.Redis | Cluster


def checked_url(url: str) -> str:
    """The URL, if `connect` can use it. Raises a ValueError that does not repeat it: it may hold a secret."""
    if CLUSTER in urlsplit(url).scheme:
        raise ValueError("RQ cannot use a cluster. Name it in STREAMS_REDIS_URL, and here a Redis of one server")
    return _checked(url, ONE_SERVER)


def checked_streams_url(url: str) -> str:
    """As above, for `connect_streams`."""
    return _checked(url, ANY_STORE)


def connect(
    url: str, *, max_connections: int = MAX_CONNECTIONS, retries: int = 2, reply_timeout: float = REPLY_TIMEOUT
) -> "redis.Redis":
    """A client for one server, or for the primary that Sentinels know; connects when first used.

    A caller beyond `max_connections` waits for a connection to become free. `reply_timeout` is in seconds.
    redis-py's own ten retries are reduced to two by default: whoever calls decides what to do while Redis is away.
    After a failover the old primary may still answer, READONLY: a connection to it is given up, and made anew.
    """
    options = {
        **_limits(max_connections, reply_timeout),
        "health_check_interval": 30,
        "retry": Retry(FullJitterBackoff(cap=0.2, base=0.02), retries),
        "retry_on_error": [redis.exceptions.ReadOnlyError],
    }
    if SENTINEL in urlsplit(url).scheme:
        return redis.Redis(connection_pool=_sentinel_pool(url, options))
    return redis.Redis(connection_pool=redis.BlockingConnectionPool.from_url(url, **options))


def connect_streams(
    url: str, *, max_connections: int = MAX_CONNECTIONS, retries: int = 2, reply_timeout: float = REPLY_TIMEOUT
) -> Client:
    """As `connect`, and for a cluster, of which one node must answer now. Raises redis.RedisError if none does.

    `max_connections` is then for each of its servers.
    """
    if CLUSTER not in urlsplit(url).scheme:
        return connect(url, max_connections=max_connections, retries=retries, reply_timeout=reply_timeout)
    first, *_ = nodes = _one_url_each(url)
    return Cluster(
        url=first,
        startup_nodes=[ClusterNode(_host(node), _port(node)) for node in nodes[1:]],
        connection_pool_class=redis.BlockingConnectionPool,
        retry=Retry(FullJitterBackoff(cap=0.2, base=0.02), retries),
        reinitialize_steps=1,  # a slot that has moved seldom moves alone
        protocol=2,  # with 3 it subscribes to news of maintenance, which only Redis Enterprise sends
        **_limits(max_connections, reply_timeout),
    )


def unverified(url: str) -> str:
    """The same server, whose certificate nobody has to have signed: what is said stays secret, who listens is not sure.

    Means nothing without TLS.
    """
    place = urlsplit(url)
    if place.scheme.partition("+")[0] != "rediss":
        return url
    return urlunsplit(place._replace(query="&".join(filter(None, [place.query, "ssl_cert_reqs=none"]))))


# -- inside


def _limits(max_connections: int, reply_timeout: float) -> dict[str, Any]:
    return {
        "max_connections": max_connections,
        "timeout": REPLY_TIMEOUT,
        "socket_connect_timeout": min(CONNECT_TIMEOUT, reply_timeout),
        "socket_timeout": reply_timeout,
    }


def _sentinel_pool(url: str, options: dict[str, Any]) -> _SentinelPool:
    service, _, database = urlsplit(url).path.strip("/").partition("/")
    sentinels = [(_host(each), _port(each, 26379)) for each in _one_url_each(url)]
    named = _options(urlunsplit(urlsplit(_one_url_each(url)[0])._replace(path=f"/{database}")))
    for_sentinels = {
        name.removeprefix("sentinel_"): named.pop(name) for name in list(named) if name.startswith("sentinel_")
    }
    named["ssl"] = named.pop("connection_class", None) is redis.SSLConnection
    del named["host"], named["port"]
    timeouts = {name: options[name] for name in ("socket_timeout", "socket_connect_timeout")}
    encrypted = {name: value for name, value in named.items() if name.startswith("ssl")}
    manager = Sentinel(sentinels, sentinel_kwargs={**timeouts, **encrypted, **for_sentinels})
    return _SentinelPool(service, manager, **{**options, **named})


def _checked(url: str, schemes: str) -> str:
    if urlsplit(url).scheme.partition("+")[1:] not in {("", ""), ("+", "sentinel"), ("+", "cluster")}:
        raise ValueError(f"it must begin with {schemes}")
    try:
        for each in _one_url_each(url):
            _options(each if SENTINEL not in urlsplit(url).scheme else urlunsplit(urlsplit(each)._replace(path="")))
    except ValueError as error:
        raise ValueError(f"it must begin with {schemes}" if "scheme" in str(error) else "it is no URL") from None
    if SENTINEL in urlsplit(url).scheme and not urlsplit(url).path.strip("/"):
        raise ValueError(NO_SERVICE)
    return url


def _one_url_each(url: str) -> list[str]:
    """A URL for each of the hosts that this one names, with commas between them, all else being the same."""
    parts = urlsplit(url)
    scheme, several, _ = parts.scheme.partition("+")
    if not several:
        return [url]
    user, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(scheme=scheme, netloc=f"{user}{at}{host}")) for host in hosts.split(",")]


def _options(url: str) -> dict[str, Any]:
    options: dict[str, Any] = redis.connection.parse_url(url)
    return options


def _host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"


def _port(url: str, default: int = 6379) -> int:
    return urlsplit(url).port or default
