"""How the web process logs: one line for each event, with its facts behind it."""

import logging
import sys

KNOWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class FactsFormatter(logging.Formatter):
    """`event key=value …`: what was passed as `extra` is shown. An event of several lines becomes one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = [f"{name}={value}" for name, value in vars(record).items() if name not in KNOWN]
        return " ".join([*super().formatMessage(record).split("\n"), *facts])


def init_logs(level: str) -> None:
    """Log to stderr from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FactsFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
