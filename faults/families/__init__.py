"""The faults, by what is broken. Importing this fills the catalogue."""

from faults.families import (
    client,
    clock,
    cluster,
    database,
    mixed,
    model,
    notifications,
    redis_server,
    users,
    web,
    worker,
)

__all__ = [
    "client",
    "clock",
    "cluster",
    "database",
    "mixed",
    "model",
    "notifications",
    "redis_server",
    "users",
    "web",
    "worker",
]
