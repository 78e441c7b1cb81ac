"""The store in a process of greenlets.

SQLite's driver blocks the thread that waits for a lock; the one that runs all greenlets must not be it. psycopg waits
as gevent would have it, so on PostgreSQL none of this is used.
"""

from gevent.threadpool import ThreadPool

from conversations.settings import ConversationSettings
from conversations.store import Store, open_store


def open_greenlet_store(settings: ConversationSettings) -> Store:
    """See `open_store`. Writes have threads of their own: while they all wait for a lock, reading goes on."""
    reads, writes = ThreadPool(settings.pool_size), ThreadPool(settings.pool_size)
    return open_store(settings.database_url, run_read=reads.apply, run_write=writes.apply, pool_size=settings.pool_size)
