"""The faults, by what is broken. Importing this fills the catalogue."""

from faults.families import client, web, worker

__all__ = ["client", "web", "worker"]
