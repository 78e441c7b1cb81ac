"""The store in a process of greenlets.

SQLite's driver blocks the thread that waits for a lock; the one that runs all greenlets must not be it. psycopg waits
as gevent would have it, so on PostgreSQL a transaction stays in its greenlet. It has a time limit there: those that
database.py sets are kept by the server, and not where it, or what stands before it, takes everything and says nothing.
"""

from collections.abc import Callable
from typing import TypeVar

import gevent
from gevent.threadpool import ThreadPool
from sqlalchemy.exc import TimeoutError as DatabaseTimeout

from conversations.settings import ConversationSettings
from conversations.store import Run, Store, open_store

T = TypeVar("T")

TRANSACTION_TIMEOUT = 30.0  # seconds, from waiting for a connection to the commit; longer than any limit of database.py


def open_greenlet_store(settings: ConversationSettings) -> Store:
    """See `open_store`. Writes have threads of their own: while they all wait for a lock, reading goes on."""
    reads, writes = ThreadPool(settings.pool_size), ThreadPool(settings.pool_size)
    return open_store(
        settings.database_url,
        run_read=reads.apply,
        run_write=writes.apply,
        run=within(TRANSACTION_TIMEOUT),
        pool_size=settings.pool_size,
        allowance=settings.allowance,
    )


def within(seconds: float) -> Run:
    """Gives a transaction of a greenlet so much time. The connection of one that takes longer is closed, and whoever
    asked gets SQLAlchemy's TimeoutError; as after a connection that breaks, nobody knows whether it was committed."""

    def run(transaction: Callable[[], T]) -> T:
        with gevent.Timeout(seconds, False) as limit:
            outcome = transaction()
            if limit.pending:
                return outcome
            # Else it was interrupted, and what it then met with on its way out is not what had happened.
        raise DatabaseTimeout(f"no answer from the database within {seconds:g} s")

    return run
