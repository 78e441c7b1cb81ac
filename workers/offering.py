"""Says in Redis which models can be asked, as long as this process lives.

It is no promise: a model that is away now may be there when it is asked, and the other way round.
"""

import logging
from collections.abc import Callable, Sequence

import redis

from streams import Client, Offer, keep_offer, publish_offer
from workers.providers.source import ModelFailed, Source

log = logging.getLogger(__name__)

AGAIN = 300.0  # seconds until the model's server is asked again what it has
SOON = 30.0  # seconds until then where it could not be asked: it may be starting


class Offering:
    """One per process."""

    def __init__(self, source: Source, client: Client, queue: str, default: str, only: Sequence[str]) -> None:
        """`only`: these and no others, in this order; empty: whatever the model's server lists."""
        self._source = source
        self._redis = client
        self._queue = queue
        self._default = default
        self._only = tuple(only)

    def say(self) -> bool:
        """Say it once. Returns False where it could not be asked; then what was said before goes on counting."""
        listed = None
        try:
            listed = tuple(self._source.models())  # …over the connection that the first question will then use
        except ModelFailed as error:
            log.warning("the model's server does not list its models: %s", error.cause)
        models = self._only or listed
        if models is None:
            keep_offer(self._redis, self._queue)
        else:
            publish_offer(self._redis, self._queue, Offer(self._default, models))
            log.info("models offered", extra={"models": len(models)})
        return listed is not None

    def say_forever(self, sleep: Callable[[float], object]) -> None:
        """Say it now and every few minutes."""
        while True:
            said = False
            try:
                said = self.say()
            except redis.RedisError as error:
                log.warning("could not say which models there are: %s", error)
            except Exception:  # the list is a convenience, but nobody else makes it
                log.exception("could not say which models there are")
            sleep(AGAIN if said else SOON)
