"""What a Prometheus would read from a process, by its own parser."""

from collections.abc import Mapping
from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families


def exposition(port: int, token: str | None = None) -> bytes:
    """What a process says to whoever has the token."""
    request = Request(f"http://127.0.0.1:{port}/metrics")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urlopen(request, timeout=60) as response:  # noqa: S310
        text: bytes = response.read()
    return text


def scrape(port: int, token: str | None = None) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    """Every sample's name, and its values by labels."""
    text = exposition(port, token).decode()
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def total(found: Mapping[str, Mapping[frozenset[tuple[str, str]], float]], name: str, **labels: str) -> float:
    """The sum over all series that have these labels."""
    return sum(value for each, value in found[name].items() if labels.items() <= dict(each).items())
