"""Where history is kept, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_DATABASE_URL = "sqlite:///.local/rejoinder.sqlite3"  # beside what else a development machine keeps
DEFAULT_POOL_SIZE = 5  # connections per process; the smallest hosted databases allow 20 in all


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """`DATABASE_URL` and `DATABASE_POOL_SIZE`."""

    database_url: str = DEFAULT_DATABASE_URL
    pool_size: int = DEFAULT_POOL_SIZE

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "ConversationSettings":
        """Raise ValueError, naming the variable, for a value that cannot be meant."""
        pool_size = environment.get("DATABASE_POOL_SIZE") or str(DEFAULT_POOL_SIZE)
        if not pool_size.isascii() or not pool_size.isdigit() or int(pool_size) < 1:
            raise ValueError(f"DATABASE_POOL_SIZE must be a whole number from 1, not {pool_size!r}")
        return cls(environment.get("DATABASE_URL") or DEFAULT_DATABASE_URL, int(pool_size))
