"""Two column types that make SQLite and PostgreSQL agree on what goes in and what comes out."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Text, TypeDecorator

from conversations.text import storable


class StorableText(TypeDecorator[str]):
    """Text of any length. The one place where unstorable characters are replaced, in values and in questions alike:
    an id with a NUL in it finds nothing, instead of failing."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the base's signature
        return None if value is None else storable(value)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite knows no time zones, so there it is kept without one and given it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
