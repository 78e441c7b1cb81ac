"""What RQ calls, by name. The process that serves the queue says first with what."""

from workers.generations import Generations

generations: Generations | None = None


def generate(stream_id: str) -> str:
    """Have the answer of this stream written; return how it ended."""
    assert generations is not None, "only `python -m workers` runs these jobs"
    return generations.generate(stream_id)
