"""How the web process logs: one line for each event, with its facts behind it."""

import logging
import sys

KNOWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class FactsFormatter(logging.Formatter):
    """`event key=value …`: what was passed as `extra` is shown, in the first line where an event has several."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = [f"{name}={value}" for name, value in vars(record).items() if name not in KNOWN]
        event, *rest = super().formatMessage(record).split("\n")
        return "\n".join([" ".join([event, *facts]), *rest])


def init_logs(level: str) -> None:
    """Log to stderr from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FactsFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
