"""`rejoinder doctor`: what is right, what is not, and what to mend, before somebody's answer shows it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial

import click

from rejoinder import secrecy
from rejoinder.checks.database import check_database
from rejoinder.checks.findings import Check, Finding, Level, made, skipped
from rejoinder.checks.model import check_model
from rejoinder.checks.redis_server import (
    QUEUE_CONNECTIONS,
    STREAM_CONNECTIONS,
    WEB_CONNECTIONS,
    WORKER_CONNECTIONS,
    check_redis,
)
from rejoinder.checks.settings import check_settings
from rejoinder.checks.software import check_packages, check_page, check_python
from rejoinder.checks.web import check_web
from rejoinder.checks.workers import check_workers
from rejoinder.environment import BOTH, WEB, WORKER, Environment, read_environment, whole_number
from rejoinder.terminal import one_line

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.WRONG: "red", Level.SKIPPED: "cyan"}
ABOUT = 17  # columns: STREAMS_REDIS_URL is the longest
MARGIN = 5.0  # seconds that a check gets beyond its own limit


@click.command("doctor")
@click.option("--for", "processes", type=click.Choice(BOTH), multiple=True, help="Which processes run here; else both.")
@click.option("--url", metavar="URL", help="Look at the web process at this address, too.")
@click.option("--ask", is_flag=True, help="Have the model answer a short question: costs some tokens.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def command(ctx: click.Context, processes: tuple[str, ...], url: str | None, ask: bool, as_json: bool) -> None:
    """Check what web process and workers need, in the environment that they would have.

    Settings, versions, Redis, the database, the model and the workers: one line each, and for what is wrong a sentence
    that says what to mend. Nothing is changed, and no tokens are spent (but with --ask). No secret is printed.

    Exit code: 0, or 1 if something is wrong; warnings are not.
    """
    chosen = processes or BOTH
    read = read_environment(chosen)
    findings = _harmless(_all(read, chosen, url, ask=ask))
    worst = _print_json(findings) if as_json else _print_lines(findings)
    ctx.exit(1 if worst is Level.WRONG else 0)


def _all(read: Environment, processes: tuple[str, ...], url: str | None, *, ask: bool) -> Iterator[Finding]:
    yield from check_settings(read, processes)
    yield from made(list(_checks(read, processes, url, ask=ask)))


def _checks(read: Environment, processes: Sequence[str], url: str | None, *, ask: bool) -> Iterator[Check]:
    yield Check("Python", check_python)
    yield Check("packages", check_packages)
    if read.web is not None:
        yield Check("page", partial(check_page, read.web.page_folder))
    redis = read.redis
    if redis is None:
        yield _not_looked_at("REDIS_URL")
        yield _not_looked_at("workers")
    else:
        queue, streams = _connections(processes, split=redis.streams_url != redis.redis_url)
        yield Check("REDIS_URL", partial(check_redis, redis.redis_url, "REDIS_URL", queue))
        if redis.streams_url != redis.redis_url:
            yield Check("STREAMS_REDIS_URL", partial(check_redis, redis.streams_url, "STREAMS_REDIS_URL", streams))
        yield Check("workers", partial(check_workers, redis.redis_url, redis.rq_queue))
    if read.conversations is None:
        yield _not_looked_at("database")
    else:
        yield Check("database", partial(check_database, read.conversations))
    if read.worker is not None:
        limit = (read.worker.first_token_timeout if ask else 0.0) + 3 * MARGIN
        yield Check("model", partial(check_model, read.worker, ask=ask), limit)
    elif WORKER in processes:
        yield _not_looked_at("model")
    if url:
        yield Check("web", partial(check_web, url))


def _not_looked_at(about: str) -> Check:
    return Check(about, lambda: [skipped(about, "not looked at: the settings are wrong")])


def _connections(processes: Sequence[str], *, split: bool) -> tuple[int, int]:
    """Those that one set of these processes wants of the queue's Redis, and of that of the streams."""
    count = {WEB: whole_number("WEB_CONCURRENCY") or 1, WORKER: 1}
    queue = QUEUE_CONNECTIONS if split else {WEB: WEB_CONNECTIONS, WORKER: WORKER_CONNECTIONS}
    wanted = [sum(count[each] * of_each[each] for each in processes) for of_each in (queue, STREAM_CONNECTIONS)]
    return wanted[0], wanted[1]


def _harmless(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Without secrets, and without what a terminal would obey: much of it is in the words of other servers."""
    secrets = secrecy.secrets_in()
    for finding in findings:
        found, mend = (one_line(secrecy.without(secrets, text)) for text in (finding.found, finding.mend))
        yield replace(finding, found=found, mend=mend)


def _print_lines(findings: Iterator[Finding]) -> Level:
    """Each as soon as it is there. Returns the worst."""
    count = dict.fromkeys(Level, 0)
    for finding in findings:
        count[finding.level] += 1
        level = click.style(f"{finding.level.value:<8}", fg=COLOURS[finding.level])
        click.echo(f"{level} {finding.about:<{ABOUT}} {finding.found}")
        if finding.mend:
            click.echo(f"{'':<8} {'':<{ABOUT}} → {finding.mend}")
    told = [f"{count[level]} {level.value}" for level in (Level.WRONG, Level.WARNING, Level.SKIPPED) if count[level]]
    click.echo(f"\n{count[Level.OK]} ok" + "".join(f", {each}" for each in told))
    return Level.WRONG if count[Level.WRONG] else Level.OK


def _print_json(findings: Iterator[Finding]) -> Level:
    every = list(findings)
    worst = Level.WRONG if any(each.level is Level.WRONG for each in every) else Level.OK
    click.echo(json.dumps({"ok": worst is Level.OK, "findings": list(map(asdict, every))}, indent=2))
    return worst
