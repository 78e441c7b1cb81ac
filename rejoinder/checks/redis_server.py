"""A Redis: whether it can be reached, can do what our scripts ask of it, and keeps what it is given."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import redis

from rejoinder.checks.findings import Finding, ok, warning, wrong
from rejoinder.secrecy import shown_url
from rejoinder.words import duration, size
from streams import connect, look_at, scripts

PATIENCE = 4.0  # seconds for each reply
OLDEST = (7, 0)  # of Redis: the first with sharded channels. Valkey says which Redis it is like
NEARLY_FULL, FULL = 0.8, 0.95  # of maxmemory
CLOCK_TOLERANCE = 5.0  # seconds; leases go by Redis's clock alone, but people compare logs

# What a process takes of it at most, however much it does; tests/system/test_connections.py holds them to it.
WEB_CONNECTIONS, WORKER_CONNECTIONS = 6, 13

Info = dict[str, Any]


def check_redis(
    url: str, variable: str, needed: int, clock: Callable[[], float] = time.time, patience: float = PATIENCE
) -> list[Finding]:
    """The server that this variable names; `needed`: so many connections the processes want of it."""
    about = variable
    try:
        with closing(connect(url, retries=0, reply_timeout=patience)) as client:
            begun = time.monotonic()
            client.ping()
            took = time.monotonic() - begun
            info: Info = client.info("everything")
            return [
                ok(about, f"answers after {took * 1000:.1f} ms at {shown_url(url)}"),
                _version(about, info),
                _scripts(about, client),
                _role(about, info),
                _eviction(about, info),
                _persistence(about, info),
                _memory(about, info),
                _connections(about, info, needed),
                _clock(about, client, clock),
            ]
    except redis.RedisError as error:
        return [wrong(about, *_said(error, url, variable, patience))]


def _said(error: redis.RedisError, url: str, variable: str, patience: float) -> tuple[str, str]:
    """What it means that it did not answer as it should, and what to do."""
    words, place = str(error), shown_url(url)
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


def _scripts(about: str, client: "redis.Redis") -> Finding:
    for script in scripts.ALL:
        client.script_load(script.source)
    look_at(client, ["doctor"])  # one that only reads, of a stream that is not there
    return ok(about, f"takes our {len(scripts.ALL)} scripts, and runs them")


def _role(about: str, info: Info) -> Finding:
    if info.get("role") != "master":
        mend = "Name the primary instead, or the Sentinels that know which it is."
        return wrong(about, "is a replica, to which nothing can be written", mend)
    return ok(about, f"is the primary, with {info.get('connected_slaves', 0)} replicas")


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


def _clock(about: str, client: "redis.Redis", clock: Callable[[], float]) -> Finding:
    seconds, micros = client.time()
    off = seconds + micros / 1e6 - clock()
    if abs(off) > CLOCK_TOLERANCE:
        found = f"its clock is {duration(abs(off))} {'ahead of' if off > 0 else 'behind'} this machine's"
        return warning(about, found, "Have both machines keep time (NTP): logs and ages cannot be compared.")
    return ok(about, "its clock and this machine's agree")
