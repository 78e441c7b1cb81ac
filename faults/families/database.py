"""What happens to the database, at the moment when an answer is to be saved."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy

from faults.catalogue import fault
from faults.run import Answer, Run
from tests.support.tcp_proxy import TcpProxy

NOT_SAVED = "could not save the answer, trying again"
SECONDS, MINUTES = 4.0, 130.0


@fault("the database is locked for seconds", viewer="the whole answer and its end, at once", operator="nothing")
def locked(run: Run) -> None:
    _away(run, _locked, SECONDS)


@fault(
    "the database is locked for minutes",
    viewer="the whole answer and its end, at once",
    operator=NOT_SAVED,
    long=True,
)
def locked_for_minutes(run: Run) -> None:
    for answer in _away(run, _locked, MINUTES):
        run.operator_sees(answer, NOT_SAVED)


@fault("the database fails for seconds", viewer="the whole answer and its end, at once", operator=NOT_SAVED, often=True)
def broken(run: Run) -> None:
    for answer in _away(run, _broken, SECONDS):
        run.operator_sees(answer, NOT_SAVED)


@fault("the database fails for minutes", viewer="the whole answer and its end, at once", operator=NOT_SAVED, long=True)
def broken_for_minutes(run: Run) -> None:
    for answer in _away(run, _broken, MINUTES):
        run.operator_sees(answer, NOT_SAVED)


@fault(
    "the connection to the database hangs for seconds",
    viewer="the whole answer and its end, at once",
    operator=f"{NOT_SAVED}, if it breaks after that",
)
def hangs(run: Run) -> None:
    if (line := _line(run)) is None:
        return
    _away(run, lambda _: _frozen(line), SECONDS)
    answers = _away(run, lambda _: _frozen(line, breaks=True), SECONDS)
    for answer in answers:
        run.operator_sees(answer, NOT_SAVED)
    line.heal()


@fault(
    "the connection to the database hangs for minutes",
    viewer="the whole answer and its end, at once",
    operator=NOT_SAVED,
    long=True,
)
def hangs_for_minutes(run: Run) -> None:
    if (line := _line(run)) is None:
        return
    for answer in _away(run, lambda _: _frozen(line), MINUTES):
        run.operator_sees(answer, NOT_SAVED)


def _line(run: Run) -> TcpProxy | None:
    """What can hang: None, which is told, where the database is a file."""
    if run.stack.database_line is None:
        run.note(f"{run.name}: not tried, SQLite has no connection; try --database postgresql")
    return run.stack.database_line


def _away(run: Run, how: Callable[[sqlalchemy.Engine], AbstractContextManager[None]], seconds: float) -> list[Answer]:
    answers = [run.ask(words=40) for _ in range(3)]
    for answer in answers:
        answer.wait_for(20)
    with how(run.database):
        run.injected()
        for answer in answers:
            answer.wait_until_done()  # whoever watches does not wait for the database
        run.pause(seconds)
    return answers


@contextmanager
def _locked(engine: sqlalchemy.Engine) -> Iterator[None]:
    """Nobody else can write, and nobody else's transaction ends."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.exec_driver_sql("LOCK TABLE messages, conversations IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def _broken(engine: sqlalchemy.Engine) -> Iterator[None]:
    """Every statement about messages fails, at once."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")  # other tables keep speaking of `messages`
        connection.exec_driver_sql("ALTER TABLE messages RENAME TO hidden")
        connection.commit()
        yield
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO messages")
        connection.commit()


@contextmanager
def _frozen(line: TcpProxy, *, breaks: bool = False) -> Iterator[None]:
    """Nothing comes over any connection, nor does one break, until they go on or, for good, do."""
    line.freeze()
    yield
    if breaks:
        line.cut()
    else:
        line.heal()
