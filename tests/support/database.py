"""Databases of a test's own: empty, or with the tables of this version in them."""

import uuid
from pathlib import Path

import psycopg

from conversations.migrate import upgrade


def new_sqlite(folder: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{folder}/{uuid.uuid4().hex}.sqlite3"


def new_postgres(server_url: str) -> str:
    """The URL of a new, empty database on this server."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server_url.replace("/postgres?", f"/{name}?")


def migrated(database_url: str) -> str:
    upgrade(database_url)
    return database_url
