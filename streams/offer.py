"""Which models can be asked: the workers know it, and whoever takes a question wants to.

What a worker says is kept for a while, so that a restart of all of them, or a model's server that is away, empties
nobody's list.
"""

import json
import re
from dataclasses import dataclass

from streams import keys
from streams.connection import Client

_SURROGATE = re.compile("[\ud800-\udfff]")  # what has one cannot be sent to anybody
OFFER_KEPT = 900.0  # seconds after a worker last said it; they do every few minutes


@dataclass(frozen=True, slots=True)
class Offer:
    """The models that can be asked, and the one that is where none is named."""

    default: str
    models: tuple[str, ...]


def publish_offer(client: Client, queue: str, offer: Offer) -> None:
    """Say what the workers of this queue can ask. Raises redis.RedisError."""
    text = json.dumps({"default": offer.default, "models": offer.models})
    client.set(keys.offer(queue), text, px=int(OFFER_KEPT * 1000))


def keep_offer(client: Client, queue: str) -> None:
    """What was said last still counts. Raises redis.RedisError."""
    client.pexpire(keys.offer(queue), int(OFFER_KEPT * 1000))


def read_offer(client: Client, queue: str) -> Offer | None:
    """What was said last; None where nothing was, or nothing that can be read. Raises redis.RedisError."""
    text = client.get(keys.offer(queue))
    try:
        fields = json.loads(text or "null")
        default, models = fields["default"], fields["models"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(models, list):
        return None
    return Offer(default if _is_name(default) else "", tuple(filter(_is_name, models)))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and _SURROGATE.search(value) is None


def model_names(value: object) -> object:
    """A setting's names of models, with commas between them; what is no text stays as it is. Raises ValueError."""
    if not isinstance(value, str):
        return value
    names = dict.fromkeys(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise ValueError("there is no name in it")
    return tuple(names)
