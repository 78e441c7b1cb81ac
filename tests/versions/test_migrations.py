"""While a deployment rolls, the version before works on the tables of this one: every migration must let it.

The rule, and how to break it in two steps, is in docs/upgrading.md. Of the older versions themselves nothing is needed
here: what they can do with a table is to write the columns that it had, and to leave out those that it has now.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, create_engine, func, insert, inspect, select
from sqlalchemy.engine.interfaces import ReflectedColumn

from conversations import open_store
from conversations.database import Database
from conversations.migrate import upgrade
from conversations.settings import parse_url
from tests.support.database import new_postgres, new_sqlite
from tests.support.waiting import wait_until

REVISIONS = [script.revision for script in ScriptDirectory("conversations/migrations").walk_revisions()][::-1]
# Second steps: the version before does not use any more what they take away. Revision: {"table.column", "table"}.
TAKEN_AWAY: dict[str, set[str]] = {}
OWNER = "ada"
WORDS = {"role": "user", "status": "complete"}  # columns that do not take just any text
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)

Columns = dict[str, ReflectedColumn]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    return new_sqlite(tmp_path) if request.param == "sqlite" else new_postgres(request.getfixturevalue("postgres"))


@contextmanager
def opened(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    try:
        yield database
    finally:
        database.close()


def tables(database_url: str) -> dict[str, Columns]:
    """What is there now."""
    with opened(database_url) as database, database.read() as session:
        inspector = inspect(session.connection())
        names = set(inspector.get_table_names()) - {"alembic_version"}
        return {name: {column["name"]: column for column in inspector.get_columns(name)} for name in names}


def uniques(database_url: str, table: str) -> set[tuple[str, ...]]:
    with opened(database_url) as database, database.read() as session:
        inspector = inspect(session.connection())
        found = {tuple(sorted(each["column_names"])) for each in inspector.get_unique_constraints(table)}
        indexes = [each for each in inspector.get_indexes(table) if each["unique"]]
        return found | {tuple(sorted(filter(None, each["column_names"]))) for each in indexes}


@pytest.mark.parametrize(("before", "after"), list(itertools.pairwise(REVISIONS)))
def test_what_a_migration_adds_the_version_before_can_leave_out(database_url: str, before: str, after: str) -> None:
    upgrade(database_url, before)
    old = tables(database_url)
    old_uniques = {name: uniques(database_url, name) for name in old}
    upgrade(database_url, after)
    new = tables(database_url)
    gone = {name for name in old if name not in new}
    gone |= {f"{name}.{column}" for name in old.keys() & new.keys() for column in old[name].keys() - new[name].keys()}
    assert gone == TAKEN_AWAY.get(after, set())
    for name in old.keys() & new.keys():
        for column, was in old[name].items():
            if column in new[name]:
                assert str(new[name][column]["type"]) == str(was["type"]), f"{name}.{column}"
                assert new[name][column]["nullable"] >= was["nullable"], f"{name}.{column} has become NOT NULL"
        for column in new[name].keys() - old[name].keys():
            added = new[name][column]
            assert added["nullable"] or added["default"] is not None, f"{name}.{column}: nobody else fills it"
        assert uniques(database_url, name) <= old_uniques[name], f"{name}: what was allowed is not any more"


class OldVersion:
    """Writes rows as the version of a revision does, one of each table in each transaction, until it is stopped."""

    def __init__(self, database_url: str) -> None:
        self.written = 0
        self._engine = create_engine(parse_url(database_url), connect_args=_patience(database_url))
        metadata = MetaData()
        metadata.reflect(self._engine)  # before the upgrade: what it knows for as long as it runs
        self.tables = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.failure: Exception | None = None

    def __enter__(self) -> "OldVersion":
        self._thread.start()
        wait_until(lambda: self.written or self.failure)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._engine.dispose()

    def _write(self) -> None:
        try:
            while not self._stopped.is_set():
                with self._engine.begin() as connection:
                    for table in self.tables:
                        connection.execute(insert(table).values(row(table, self.written)))
                self.written += 1
        except Exception as error:  # noqa: BLE001 (the test says what it was)
            self.failure = error


def row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: _value(table, column.name, number) for column in table.columns}


def _value(table: Table, name: str, number: int) -> Any:
    column = table.columns[name]
    if column.nullable and name != "head_id":
        return None
    if column.foreign_keys or name == "head_id":
        return f"{number:032x}"
    if (table.name, name) == ("conversations", "owner"):
        return OWNER
    kind = column.type.python_type
    if kind is str:
        return WORDS.get(name, f"{number:032x}")
    return {int: number, bool: False, datetime: MOMENT}.get(kind, {})  # what is left is JSON


def _patience(database_url: str) -> dict[str, Any]:
    return {"timeout": 60} if database_url.startswith("sqlite") else {}


@pytest.mark.parametrize("before", REVISIONS)
def test_an_older_version_writes_on_while_the_tables_become_those_of_the_newest(database_url: str, before: str) -> None:
    upgrade(database_url, before)
    with OldVersion(database_url) as old:
        upgrade(database_url)
        at_least = old.written + 3
        wait_until(lambda: old.written >= at_least or old.failure)
    assert old.failure is None
    with opened(database_url) as database, database.read() as session:
        for table in old.tables:
            assert session.scalar(select(func.count()).select_from(table)) == old.written, table.name
    store = open_store(database_url)
    assert [each.role.value for each in store.conversation(OWNER, f"{1:032x}").messages] == ["user"]
    store.close()
