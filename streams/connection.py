"""One way to connect to Redis, with limits that suit long-lived processes."""

from urllib.parse import urlsplit, urlunsplit

import redis
from redis.backoff import FullJitterBackoff
from redis.retry import Retry

CONNECT_TIMEOUT = 5.0  # seconds
MAX_CONNECTIONS = 5  # per client; a call takes less than a millisecond, and the smallest hosted plans allow 20 in all
REPLY_TIMEOUT = 5.0  # seconds; a server that takes longer is treated as away, and asked again


def checked_url(url: str) -> str:
    """The URL, if `connect` can use it. Raises a ValueError that does not repeat it: it may hold a secret."""
    try:
        redis.connection.parse_url(url)  # type: ignore[no-untyped-call]  # redis-py has no type here
    except ValueError as error:
        hint = "it must begin with redis://, rediss:// or unix://" if "scheme" in str(error) else "it is no URL"
        raise ValueError(hint) from None
    return url


def unverified(url: str) -> str:
    """The same server, whose certificate nobody has to have signed: what is said stays secret, who listens is not sure.

    Means nothing without TLS.
    """
    place = urlsplit(url)
    if place.scheme != "rediss":
        return url
    return urlunsplit(place._replace(query="&".join(filter(None, [place.query, "ssl_cert_reqs=none"]))))


def leave_demoted(client: "redis.Redis", error: Exception) -> None:
    """As `connect` does for single calls, for an error that came among the replies of a pipeline."""
    if isinstance(error, redis.exceptions.ReadOnlyError):
        client.connection_pool.disconnect()


def connect(
    url: str, *, max_connections: int = MAX_CONNECTIONS, retries: int = 2, reply_timeout: float = REPLY_TIMEOUT
) -> "redis.Redis":
    """A client for `redis://`, `rediss://` or `unix://`; connects when first used.

    A caller beyond `max_connections` waits for a connection to become free. `reply_timeout` is in seconds.
    redis-py's own ten retries are reduced to two by default: whoever calls decides what to do while Redis is away.
    After a failover the old primary may still answer, READONLY: a connection to it is given up, and made anew.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=REPLY_TIMEOUT,
        socket_connect_timeout=min(CONNECT_TIMEOUT, reply_timeout),
        socket_timeout=reply_timeout,
        health_check_interval=30,
        retry=Retry(FullJitterBackoff(cap=0.2, base=0.02), retries),
        retry_on_error=[redis.exceptions.ReadOnlyError],
    )
    return redis.Redis(connection_pool=pool)
