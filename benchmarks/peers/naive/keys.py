"""The names that the web process and the worker share."""

QUEUE = "naive"
RETENTION = 3600  # seconds


def entries(stream: str) -> str:
    return f"naive:{stream}:entries"


def channel(stream: str) -> str:
    return f"naive:{stream}:channel"
