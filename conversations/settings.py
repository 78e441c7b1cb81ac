"""Where history is kept, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from conversations.allowance import Allowance

DEFAULT_DATABASE_URL = "sqlite:///.local/rejoinder.sqlite3"  # beside what else a development machine keeps
DEFAULT_ALLOWANCE = Allowance(running=20, conversation=4_000_000)  # more characters than any model reads
LIMITS = {
    "running": "RUNNING_PER_IDENTITY",
    "tokens": "DAILY_TOKENS_PER_IDENTITY",
    "tokens_of_all": "DAILY_TOKENS",
    "conversation": "MAX_CONVERSATION",
}
DEFAULT_POOL_SIZE = 5  # connections per process; the smallest hosted databases allow 20 in all


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """`DATABASE_URL`, `DATABASE_POOL_SIZE`, and what there may be of people's answers."""

    database_url: str = DEFAULT_DATABASE_URL
    pool_size: int = DEFAULT_POOL_SIZE
    allowance: Allowance = DEFAULT_ALLOWANCE

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "ConversationSettings":
        """Raise ValueError for values that cannot be meant, with a line for each that names the variable."""
        wrong: list[str] = []
        pool_size = environment.get("DATABASE_POOL_SIZE") or str(DEFAULT_POOL_SIZE)
        if not _is_count(pool_size):
            wrong.append(f"DATABASE_POOL_SIZE must be a whole number from 1, not {pool_size!r}")
        database_url = environment.get("DATABASE_URL") or DEFAULT_DATABASE_URL
        try:
            parse_url(database_url)
        except ValueError as error:
            wrong.append(str(error))
        limits = {}
        for field, name in LIMITS.items():
            told = environment.get(name)
            if not told:
                continue
            if told.lower() != "none" and not _is_count(told):
                wrong.append(f"{name} must be a whole number from 1, or none, not {told!r}")
            else:
                limits[field] = int(told) if _is_count(told) else None
        if wrong:
            raise ValueError("\n".join(wrong))
        return cls(database_url, int(pool_size), replace(DEFAULT_ALLOWANCE, **limits))


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15 and int(text) >= 1


def parse_url(database_url: str) -> URL:
    """A URL as people and hosts write it, with the driver that we use. Raises ValueError for what we cannot use."""
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise ValueError("DATABASE_URL must be a URL that begins with sqlite:/// or postgresql://") from None
    name = url.get_backend_name()
    if name in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise ValueError(f"DATABASE_URL must begin with sqlite:/// or postgresql://, not with {name}://")
    if not url.database or ":memory:" in url.database:
        raise ValueError("DATABASE_URL must name a file: SQLite in memory cannot be shared by processes")
    return url.set(drivername="sqlite+pysqlite")
