"""Databases of a test's own: empty, or with the tables of this version in them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy

from conversations.migrate import upgrade
from tests.support.tcp_proxy import TcpProxy, running_proxy


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


@contextmanager
def postgres_line(database_url: str) -> Iterator[tuple[TcpProxy, str]]:
    """A way to this database that can fail, and the URL of the database at its end."""
    url = sqlalchemy.make_url(database_url)
    with running_proxy(int(str(url.query["port"]))) as line:
        there = url.set(host="127.0.0.1", port=line.port, query={})
        yield line, there.render_as_string(hide_password=False)
