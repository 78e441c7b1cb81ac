"""What the database has of an answer, and Redis of any, read from there and not from those who wrote it."""

from collections.abc import Sequence

import redis
import sqlalchemy
from rq.queue import Queue

from faults.invariants import Saved, judge_keys
from jobs import SERIALIZER

QUERY = sqlalchemy.text("SELECT content, status FROM messages WHERE stream_id = :stream AND ended_at IS NOT NULL")


def open_records(database_url: str) -> sqlalchemy.Engine:
    """A connection of one's own for each look: whatever happens to the database between two of them."""
    return sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)


def saved_answers(engine: sqlalchemy.Engine, stream: str) -> list[Saved]:
    """Of this stream, those that have ended: one, or none yet. Raises sqlalchemy.exc.SQLAlchemyError."""
    with engine.connect() as connection:
        return [Saved(*row) for row in connection.execute(QUERY, {"stream": stream})]


def lasting(servers: Sequence["redis.Redis"]) -> list[str]:
    """What these would keep for ever, in words; the first has RQ's queue. Raises redis.RedisError."""
    queues = Queue.all(servers[0], serializer=SERIALIZER)  # first: a job that ends meanwhile was in the books
    jobs = [job for queue in queues for job in (*queue.get_job_ids(), *queue.started_job_registry.get_job_ids())]
    unexpiring = [key.decode() for each in servers for key in each.scan_iter(count=1000) if each.ttl(key) == -1]
    return judge_keys(unexpiring, jobs)
