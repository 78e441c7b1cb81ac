"""`rejoinder streams`: the answers that are being written, one of them more closely, and an end to one of them."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import click
import redis
from sqlalchemy.exc import SQLAlchemyError

from conversations import AnswerRecord, ConversationSettings, open_store
from conversations.inspection import NoDatabase, look_at_database
from rejoinder.environment import needed_environment
from rejoinder.exits import Exit
from rejoinder.sights import COLUMNS, as_json_of, ending, facts, kept, row
from rejoinder.terminal import Screen, one_line, say
from streams import Client, Sight, StreamControl, StreamNotFound, connect_streams, look_at, look_at_all, unsettled

PATIENCE = 5.0  # seconds for Redis, and for the database
STOP_PATIENCE = 10.0  # seconds for a worker to end what it was asked to stop; it takes less than one
LOOK_EVERY = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Place:
    """What the commands here stand on."""

    redis: Client
    control: StreamControl
    database: ConversationSettings


@contextmanager
def _opened() -> Iterator[Place]:
    """Raises click.ClickException for whatever is not there."""
    processes, settings, database = needed_environment()
    try:
        with closing(connect_streams(processes.streams_url, retries=0, reply_timeout=PATIENCE)) as client:
            yield Place(client, StreamControl(client, settings), database)
    except redis.RedisError as error:
        raise click.ClickException(one_line(f"Redis: {error}. `rejoinder doctor` tells more.")) from None


@click.group("streams", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the answers that are being written, and those that wait to be saved.

    A stream is named by its id or by the beginning of it.
    """
    if ctx.invoked_subcommand is not None:
        return
    with _opened() as place:
        sights = look_at_all(place.redis)
        answers = _answers(place.database, [sight.stream_id for sight in sights])
    if as_json:
        click.echo(json.dumps([as_json_of(sight, answers.get(sight.stream_id)) for sight in sights], indent=2))
        return
    if not sights:
        click.echo("Nothing is being written.")
        return
    _print_table([COLUMNS, *(row(sight, answers.get(sight.stream_id)) for sight in sights)])


@command.command()
@click.argument("stream")
@click.option("--text", is_flag=True, help="Print the text, too, as far as it is written.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def show(stream: str, text: bool, as_json: bool) -> None:
    """Show what is known of a stream; of its text only with --text."""
    with _opened() as place:
        sight = _found(place, stream)
        answer = _answers(place.database, [sight.stream_id]).get(sight.stream_id)
        written = place.control.read(sight.stream_id).text if text and sight.state != "missing" else None
    if as_json:
        click.echo(
            json.dumps({**as_json_of(sight, answer), **({} if written is None else {"text": written})}, indent=2)
        )
    else:
        for name, value in facts(sight, answer):
            click.echo(f"{name:<14} {one_line(value)}")
        if written is not None:
            Screen().write(f"\n{written}\n")
    sys.exit(Exit.NOT_THERE if sight.state == "missing" and answer is None else 0)


@command.command()
@click.argument("stream")
def stop(stream: str) -> None:
    """Stop a stream as its reader's button does. What is there of it stays, and is saved."""
    with _opened() as place:
        stream_id = _found(place, stream).stream_id
        try:
            stopping = place.control.ask_cancel(stream_id)
        except StreamNotFound:
            say(f"{stream_id}: Redis holds no such stream.")
            sys.exit(Exit.NOT_THERE)
        if not stopping:
            sight = look_at(place.redis, [stream_id])[0]
            click.echo(one_line(f"{stream_id} had ended before, as {ending(sight)}."))
            return
        ended = _wait_until(lambda: look_at(place.redis, [stream_id])[0], lambda sight: sight.end is not None)
    if ended.end is None:
        found = f"{stream_id}: its worker was asked, and has not ended it within {STOP_PATIENCE:g} s."
        say(f"{found} If that worker is dead, a web process or another worker ends it as interrupted within seconds.")
        sys.exit(Exit.FAILED)
    click.echo(one_line(f"{stream_id} has ended as {ending(ended)}. {kept(ended)}"))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        line = "  ".join(f"{one_line(cell):<{width}}" for cell, width in zip(cells, widths, strict=True))
        click.echo(line.rstrip())


def _found(place: Place, name: str) -> Sight:
    """The stream of this id, or the only one not saved yet whose id begins so. Raises click.ClickException."""
    sight = look_at(place.redis, [name])[0]
    if sight.state != "missing":
        return sight
    begin_so = [stream_id for stream_id in unsettled(place.redis) if stream_id.startswith(name)]
    if len(begin_so) > 1:
        raise click.ClickException(f"{len(begin_so)} streams begin with {one_line(name)}: say more of the id.")
    return look_at(place.redis, begin_so)[0] if begin_so else sight


def _answers(database: ConversationSettings, stream_ids: Sequence[str]) -> Mapping[str, AnswerRecord]:
    """What the database knows of them; nothing, and a word about it, where it does not answer."""
    if not stream_ids:
        return {}
    try:
        look_at_database(database.database_url, patience=PATIENCE)  # which, unlike a store, gives up soon
        with closing(open_store(database.database_url, pool_size=1)) as store:
            return store.answers_of(stream_ids)
    except (SQLAlchemyError, NoDatabase):
        say("The database does not answer: models and conversations are not known. `rejoinder doctor` tells more.")
        return {}


def _wait_until(look: Callable[[], Sight], holds: Callable[[Sight], bool]) -> Sight:
    """What was seen when it held, or last."""
    deadline = time.monotonic() + STOP_PATIENCE
    while not holds(sight := look()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)  # nobody tells us
    return sight
