"""The commands of docs/backup.md, run as they stand there: what was said is in what they restore."""

import os
import re
import subprocess
import sys
from pathlib import Path

from conversations import open_store
from tests.support.database import migrated, new_postgres, new_sqlite
from tests.support.postgres_server import find_binaries
from tests.support.slug import PROJECT

BLOCKS = re.findall(r"```sh\n(.*?)```", (PROJECT / "docs" / "backup.md").read_text(), re.DOTALL)
PYTHON = str(Path(sys.executable).parent)


def run(block: str, folder: Path, **variables: str) -> None:
    environ = {"PATH": f"{PYTHON}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT), **variables}
    done = subprocess.run(["sh", "-ec", block], cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def converse(database_url: str) -> str:
    store = open_store(database_url)
    conversation = store.create_conversation("ada", title="Worth keeping")
    store.close()
    return conversation.id


def title(database_url: str, conversation_id: str) -> str:
    store = open_store(database_url)
    try:
        return store.conversation("ada", conversation_id).title
    finally:
        store.close()


def test_postgresql_comes_back_in_an_empty_database(postgres: str, tmp_path: Path) -> None:
    old, new = migrated(new_postgres(postgres)), new_postgres(postgres)
    conversation = converse(old)
    dump, restore = (block for block in BLOCKS if "pg_" in block)
    path = f"{find_binaries()}:{PYTHON}:{os.environ['PATH']}"
    run(dump, tmp_path, PATH=path, DATABASE_URL=old)
    run(restore, tmp_path, PATH=path, NEW_DATABASE_URL=new)
    assert title(new, conversation) == "Worth keeping"


def test_a_copy_of_sqlite_is_whole(tmp_path: Path) -> None:
    url = migrated(new_sqlite(tmp_path))
    conversation = converse(url)
    Path(url.removeprefix("sqlite:///")).rename(tmp_path / "rejoinder.sqlite3")
    (copy,) = (block for block in BLOCKS if "VACUUM" in block)
    run(copy, tmp_path)
    assert title(f"sqlite:///{tmp_path}/backup.sqlite3", conversation) == "Worth keeping"
