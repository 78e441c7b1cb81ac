"""One line for each event, from whoever says it: our own modules, gunicorn, RQ, a library.

All of them use the standard library's logging, `log.info("event", extra={…})`; structlog gives their records one shape.
"""

import logging
import sys
from textwrap import indent
from typing import TextIO

from structlog.contextvars import merge_contextvars
from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter, LogLevelColumnFormatter
from structlog.processors import JSONRenderer, StackInfoRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from telemetry.redaction import hide
from telemetry.settings import LogSettings

# At DEBUG the first three print what people ask; at INFO they and RQ repeat what our own lines say of every generation.
QUIET = ("openai", "httpx2", "httpcore2", "rq.worker", "rq.job")

# What a terminal obeys, or shows in another order or on another line than it is written.
ESCAPED = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
ONE_LINE = {code: chr(code).encode("unicode_escape").decode() for code in ESCAPED}
COMMANDS = {code: shown for code, shown in ONE_LINE.items() if chr(code) not in "\n\t"}

transcript = logging.getLogger("transcript")
"""The only one that may be told what people ask and models answer: silent unless that was switched on."""
transcript.disabled = True


def init_logs(settings: LogSettings, output: TextIO | None = None) -> None:
    """Log to standard error, or there. May be called again."""
    output = output or sys.stderr
    handler = logging.StreamHandler(output)
    handler.setLevel(settings.level)
    handler.setFormatter(formatter(settings.format or ("text" if output.isatty() else "json"), colors=output.isatty()))
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    transcript.disabled = not settings.conversations


def formatter(shape: str, *, colors: bool = False) -> logging.Formatter:
    """Makes lines of this shape, `json` or `text`."""
    common: list[Processor] = [
        merge_contextvars,
        ExtraAdder(),
        add_log_level,
        add_logger_name,
        StackInfoRenderer(),
        format_exc_info,
        ProcessorFormatter.remove_processors_meta,
        _hide_secrets,
    ]
    if shape == "json":
        last: list[Processor] = [TimeStamper(fmt="iso", utc=True), JSONRenderer()]
    else:
        last = [TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False), _first_line_first, _obey_nothing, _console(colors)]
    return ProcessorFormatter(processors=[*common, *last])


def _hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Of everything that a line says, whatever it is."""
    plain = (int, float, type(None))  # and bool, which is an int
    return {
        name: value if isinstance(value, plain) else hide(value if isinstance(value, str) else str(value))
        for name, value in event.items()
    }


def _first_line_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Some events, as a database's errors, have several lines: the facts belong to the first. A traceback is last."""
    first, _, rest = event["event"].partition("\n")
    following = [lines for lines in (rest, event.pop("stack", None), event.pop("exception", None)) if lines]
    event["event"] = first
    if following:
        event["stack"] = "\n".join(following)
    return event


def _obey_nothing(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What others wrote is in here: no terminal is commanded by it, and none of it can look like another event, for
    all lines but the first are indented. (In JSON everything is escaped.)"""
    for name, value in event.items():
        if name == "stack":
            event[name] = indent(value.translate(COMMANDS), "  ")
        elif isinstance(value, str):
            event[name] = value.translate(ONE_LINE)
    return event


def _console(colors: bool) -> ConsoleRenderer:
    """`time [level] logger: event name=value …`."""
    styles = ConsoleRenderer.get_default_column_styles(colors)
    reset = styles.reset

    def plain(style: str, postfix: str = "", key_style: str | None = None) -> KeyValueColumnFormatter:
        return KeyValueColumnFormatter(key_style, style, reset, value_repr=str, postfix=postfix)

    return ConsoleRenderer(
        columns=[
            Column("timestamp", plain(styles.timestamp)),
            Column("level", LogLevelColumnFormatter(ConsoleRenderer.get_default_level_styles(colors), reset)),
            Column("logger", plain(styles.logger_name, postfix=":")),
            Column("event", plain(styles.bright)),
            Column("", plain(styles.kv_value, key_style=styles.kv_key)),
        ],
        sort_keys=False,
    )
