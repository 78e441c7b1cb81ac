"""What the database has of an answer, read from its table and not from the server that wrote it."""

import sqlalchemy

from faults.invariants import Saved

QUERY = sqlalchemy.text("SELECT content, status FROM messages WHERE stream_id = :stream AND ended_at IS NOT NULL")


def open_records(database_url: str) -> sqlalchemy.Engine:
    """A connection of one's own for each look: whatever happens to the database between two of them."""
    return sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)


def saved_answers(engine: sqlalchemy.Engine, stream: str) -> list[Saved]:
    """Of this stream, those that have ended: one, or none yet. Raises sqlalchemy.exc.SQLAlchemyError."""
    with engine.connect() as connection:
        return [Saved(*row) for row in connection.execute(QUERY, {"stream": stream})]
