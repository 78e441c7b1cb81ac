"""The faults, by what is broken. Importing this fills the catalogue."""

from faults.families import client, notifications, redis_server, web, worker

__all__ = ["client", "notifications", "redis_server", "web", "worker"]
