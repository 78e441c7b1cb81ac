"""A Redis: whether it can be reached, can do what our scripts ask of it, and keeps what it is given."""

# redis-py says the types of some of its methods only.
# mypy: disable-error-code="no-untyped-call"

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import redis

from rejoinder.checks.findings import Finding, Level, ok, warning, wrong
from rejoinder.secrecy import shown_url
from rejoinder.words import duration, size
from streams import connect_streams, look_at, scripts
from streams.connection import Client, Cluster

PATIENCE = 4.0  # seconds for each reply
OLDEST = (7, 0)  # of Redis: the first with sharded channels. Valkey says which Redis it is like
NEARLY_FULL, FULL = 0.8, 0.95  # of maxmemory
CLOCK_TOLERANCE = 5.0  # seconds; leases go by Redis's clock alone, but people compare logs

# What a process takes of it at most, however much it does; tests/system/test_connections.py holds them to it.
WEB_CONNECTIONS, WORKER_CONNECTIONS = 6, 13

# Of two, where STREAMS_REDIS_URL names another one; of a cluster's servers, so many of each.
QUEUE_CONNECTIONS = {"web": 5, "worker": 7}
STREAM_CONNECTIONS = {"web": 6, "worker": 7}

Info = dict[str, Any]


def check_redis(
    url: str, variable: str, needed: int, clock: Callable[[], float] = time.time, patience: float = PATIENCE
) -> list[Finding]:
    """The server, or the cluster, that this variable names; `needed`: so many connections are wanted of each server."""
    try:
        with closing(connect_streams(url, retries=0, reply_timeout=patience)) as client:
            findings = [
                finding
                for place, server in _servers(client, url)
                for finding in _looked_at(server, place, variable, needed, clock, patience)
            ]
            if isinstance(client, Cluster):
                findings.append(_covered(variable, client))
            if all(finding.level is not Level.WRONG for finding in findings):
                look_at(client, ["doctor"])  # by a script that only reads, of a stream that is not there
                findings.append(ok(variable, "runs our scripts"))
            return findings
    except redis.RedisError as error:
        return [wrong(variable, *_said(error, shown_url(url), variable, patience))]


def _servers(client: Client, url: str) -> list[tuple[str, "redis.Redis"]]:
    """Each that may have to do with us, and where it is."""
    if not isinstance(client, Cluster):
        return [(shown_url(url), client)]
    return [(node.name, client.get_redis_connection(node)) for node in client.get_primaries()]


def _looked_at(
    server: "redis.Redis", place: str, about: str, needed: int, clock: Callable[[], float], patience: float
) -> list[Finding]:
    try:
        begun = time.monotonic()
        server.ping()
        took = time.monotonic() - begun
        info: Info = server.info("everything")
        for script in scripts.ALL:
            server.script_load(script.source)
        seconds, micros = server.time()
    except redis.RedisError as error:
        return [wrong(about, *_said(error, place, about, patience))]
    return [
        ok(about, f"{place} answers after {took * 1000:.1f} ms, and takes our {len(scripts.ALL)} scripts"),
        _version(about, info),
        _role(about, info),
        _eviction(about, info),
        _persistence(about, info),
        _memory(about, info),
        _connections(about, info, needed),
        _clock(about, seconds + micros / 1e6 - clock()),
    ]


def _covered(about: str, client: Cluster) -> Finding:
    state = client.cluster_info(target_nodes=client.get_random_node())
    if state.get("cluster_state") == "ok":
        return ok(about, f"the cluster holds all slots, on {len(client.get_primaries())} primaries")
    found = f"the cluster holds {state.get('cluster_slots_ok')} of 16384 slots: streams of the others cannot be written"
    return wrong(about, found, "Bring its servers back, or give their slots to others (redis-cli --cluster fix).")


def _said(error: redis.RedisError, place: str, variable: str, patience: float) -> tuple[str, str]:
    """What it means that it did not answer as it should, and what to do."""
    words = str(error)
    if isinstance(error, redis.AuthenticationError) or words.startswith(("WRONGPASS", "NOAUTH")):
        mend = f"Put the right ones into {variable}: redis://user:password@host:port/0."
        return f"{place} does not accept this user and password", mend
    if isinstance(error, redis.exceptions.NoPermissionError) or words.startswith("NOPERM"):
        return f"this user may not do all that is needed: {words}", "Give it ~* &* +@all on a Redis of its own."
    if isinstance(error, redis.BusyLoadingError):
        return f"{place} is still loading what it kept", "Wait until it has; the processes wait, too."
    if isinstance(error, redis.TimeoutError):
        return f"{place} does not answer within {patience:g} s", "See whether it runs, and can be reached from here."
    if "CERTIFICATE_VERIFY_FAILED" in words:
        mend = f"Name its authority with ?ssl_ca_certs=/path in {variable}; or, as on Heroku, REDIS_TLS_VERIFY=none."
        return f"the certificate of {place} is signed by nobody that is known here", mend
    if isinstance(error, redis.ConnectionError):
        return f"{place} cannot be reached: {words}", f"Start it, or correct {variable}."
    return f"{place} refuses: {words}", f"Correct {variable}, or what that Redis allows."


def _version(about: str, info: Info) -> Finding:
    like = str(info.get("redis_version", "0"))
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {like}"
    if tuple(int(part) for part in like.split(".")[:2] if part.isdigit()) < OLDEST:
        return wrong(about, f"{name} is too old", "Use Redis 7 or newer, or Valkey.")
    return ok(about, f"{name}, {info.get('redis_mode', 'standalone')}")


def _role(about: str, info: Info) -> Finding:
    if info.get("role") != "master":
        mend = "Name the primary instead, or the Sentinels that know which it is."
        return wrong(about, "is a replica, to which nothing can be written", mend)
    replicas = int(info.get("connected_slaves", 0))
    if not replicas and info.get("redis_mode") == "cluster":
        mend = "Give it one (redis-cli --cluster add-node … --cluster-slave)."
        return warning(about, "has no replica: when it dies, the streams on it wait until it is back", mend)
    return ok(about, f"is the primary, with {replicas} replicas")


def _eviction(about: str, info: Info) -> Finding:
    policy = info.get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        return ok(about, "evicts nothing (maxmemory-policy noeviction)")
    found = f"evicts what it likes when memory is short (maxmemory-policy {policy}): answers and jobs would vanish"
    return wrong(about, found, "Set maxmemory-policy to noeviction (CONFIG SET, its file, or the host's settings).")


def _persistence(about: str, info: Info) -> Finding:
    if info.get("aof_enabled") == 1:
        if info.get("aof_last_write_status", "ok") != "ok":
            return wrong(about, "could not write its append-only file", "See whether its disk is full.")
        return ok(about, "keeps what it was given over a restart (append-only file)")
    found = (
        "forgets what it holds when it restarts (no append-only file): queued questions and unsaved answers are lost"
    )
    return warning(about, found, "Set appendonly to yes, where the host lets you.")


def _memory(about: str, info: Info) -> Finding:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not most:
        return ok(about, f"uses {size(used)} of memory, with no limit of its own (maxmemory 0)")
    found = f"uses {size(used)} of {size(most)} (maxmemory)"
    mend = "Raise maxmemory, or lower STREAM_RETENTION: finished answers are kept for so long."
    if used > FULL * most:
        return wrong(about, f"{found}: it is about to refuse everything", mend)
    return warning(about, found, mend) if used > NEARLY_FULL * most else ok(about, found)


def _connections(about: str, info: Info, needed: int) -> Finding:
    open_now, most = int(info.get("connected_clients", 0)), int(info.get("maxclients", 0))
    if not most:
        return ok(about, f"has {open_now} connections, and does not say how many it allows")
    found = f"allows {most:,} connections; {open_now} are open, and these processes need {needed}"
    mend = "Raise maxclients, take a larger plan, or run fewer processes (WEB_CONCURRENCY)."
    if most < needed:
        return wrong(about, found, mend)
    if most - open_now < needed:  # in a deploy the new ones come before the old ones leave
        return warning(about, f"{found}: not enough for a second set of them in a rolling deploy", mend)
    return ok(about, found)


def _clock(about: str, off: float) -> Finding:
    if abs(off) > CLOCK_TOLERANCE:
        found = f"its clock is {duration(abs(off))} {'ahead of' if off > 0 else 'behind'} this machine's"
        return warning(about, found, "Have both machines keep time (NTP): logs and ages cannot be compared.")
    return ok(about, "its clock and this machine's agree")
