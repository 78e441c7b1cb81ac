"""One line for each event: what happened, and its facts as name=value."""

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ORDINARY = {*vars(logging.makeLogRecord({})), "message", "asctime"}  # what every record has; the rest are its facts

# At DEBUG the first three print what people ask; at INFO they and RQ repeat what our own lines say of every generation.
QUIET = ("openai", "httpx2", "httpcore2", "rq.worker", "rq.job")


class FactsFormatter(logging.Formatter):
    """Appends what was given as `extra` to the first line: some messages, as a database's errors, have several."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in vars(record).items() if name not in ORDINARY)
        event, *rest = super().formatMessage(record).split("\n")
        return "\n".join([event + facts, *rest])


def set_up_logging(level: str) -> None:
    """Log to standard error from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(FactsFormatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
