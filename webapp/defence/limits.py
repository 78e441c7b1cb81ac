"""Who may do how much of what: counted by identity and by address, in Redis, so that all web processes count together.

A view says in one line what it costs: `services.limits.count(Act.SEND)`. Who is over a limit gets 429 with a sentence
and with `Retry-After`; nobody is let in by it, for that is access.py's.

Follows are the exception: each process counts them for itself. What they cost is its own time, they come by the
thousand when a server restarts, and to ask Redis about each would cost more than to let it in.

Rule: counting is for protection, and never in the way. While Redis does not answer, everybody passes.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from threading import Event
from typing import TypeVar

from flask import request
from limits import RateLimitItem
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis, RedisError

from conversations import NotFound
from webapp.defence.addresses import client_address
from webapp.defence.limit_settings import LimitSettings, parsed_rates
from webapp.defence.pace import Paces
from webapp.defence.tally import REWRITTEN, Tally
from webapp.identity import STRANGER, current_owner, welcome
from webapp.patience import patiently
from webapp.problems import Problem, in_words

log = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")

PREFIX = "rejoinder:rates"
SILENCE = 5.0  # seconds after which it is asked again, if it did not
TRY_AGAIN = 30  # seconds until one who has too much open may look again; nobody knows when something is closed


class Act(StrEnum):
    """What is counted. The value goes into a sentence: “There were too many … in a short time”."""

    SEND = "questions"
    FOLLOW = "connections"
    SHARE_OPEN = "readings of shared conversations"
    SHARE_GUESS = "links that lead nowhere"
    NEW_IDENTITY = "new visitors"
    REMARK = "remarks"


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something may be done. What is empty is not counted."""

    of_identity: tuple[RateLimitItem, ...] = ()
    of_address: tuple[RateLimitItem, ...] = ()


class Limits:
    """One per process. For views: the methods ask the request who it is from."""

    def __init__(self, settings: LimitSettings, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._rates = _rates(settings)
        # Only the pool is used of what it is given: no connection beside those that there are.
        self._storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=PREFIX)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._follows = {
            rate: Paces(rate.amount / rate.get_expiry(), rate.get_expiry(), clock)
            for rate in (*self._rates[Act.FOLLOW].of_identity, *self._rates[Act.FOLLOW].of_address)
        }
        self._open = Tally(redis)
        self._clock = clock
        self._silent_until = -math.inf

    def count(self, act: Act) -> None:
        """Count one more. Raises Problem (429) if that was one too many, of this identity or from this address."""
        rates = self._rates[act]
        identity, address = current_owner(), self._address()
        if identity != STRANGER:
            self._count(act, rates.of_identity, identity, "")
        if address:
            self._count(act, rates.of_address, address, " from your network")

    @contextmanager
    def looking_up(self, share_id: str | None) -> Iterator[None]:
        """Around the looking up of a share, if it is one: counts those that lead nowhere.

        Raises Problem (429), before anything is looked up, for an identity (or, of who has none, an address) that has
        tried too many. Not for all who share an address with it: a conversation that is deleted while a thousand
        read it must not close other links to them. How many identities an address gets is limited too.
        """
        if share_id is None:
            yield
            return
        guesser, rates = current_owner() or self._address(), self._rates[Act.SHARE_GUESS].of_identity
        for rate in rates:
            if not self._asked(partial(self._limiter.test, rate, Act.SHARE_GUESS.name, _digest(guesser)), True):
                raise self._too_many(Act.SHARE_GUESS, rate, self._wait(Act.SHARE_GUESS, rate, guesser), "")
        try:
            yield
        except NotFound as error:
            if error.kind == "share":
                self._count(Act.SHARE_GUESS, rates, guesser, "")
            raise

    def welcome(self) -> str:
        """As identity.welcome, where a new identity counts. Raises Problem (429)."""
        if current_owner() == STRANGER:
            self.count(Act.NEW_IDENTITY)
        return welcome()

    def connect(self) -> Callable[[], None]:
        """Count one more open connection; what is returned counts it out. Raises Problem (429) for one too many."""
        limited = {
            _digest(who): (most, whose)
            for who, most, whose in (
                (current_owner(), self._settings.connections_per_identity, "You have"),
                (self._address(), self._settings.connections_per_address, "Your network has"),
            )
            if who and most is not None
        }
        opened: list[str] = []

        def leave() -> None:
            while opened:
                self._open.remove(opened.pop())

        for name in limited:
            self._open.add(name)
            opened.append(name)
        try:
            over = self._asked(partial(self._open.over, {name: most for name, (most, _) in limited.items()}), None)
        except BaseException:  # the request was given up; what it has counted would be reported for ever
            leave()
            raise
        if over is not None:
            leave()
            most, whose = limited[over]
            detail = f"{whose} {most:,} connections open, and that is the most. Close some, for example other tabs."
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(TRY_AGAIN)})
        return leave

    def report_forever(self, closing: Event) -> None:
        """Say now and then what is open here, until `closing` is set."""
        while not closing.wait(REWRITTEN):
            self._reported(self._open.report)

    def leave(self) -> None:
        """Nothing is open in this process any more."""
        self._reported(self._open.leave)

    # -- counting

    def _count(self, act: Act, rates: tuple[RateLimitItem, ...], who: str, whence: str) -> None:
        for rate in rates:
            if act is Act.FOLLOW:
                wait = math.ceil(self._follows[rate].late(who))
            else:
                fits = self._asked(partial(self._limiter.hit, rate, act.name, _digest(who)), True)
                wait = 0 if fits else self._wait(act, rate, who)
            if wait:
                raise self._too_many(act, rate, wait, whence)

    def _wait(self, act: Act, rate: RateLimitItem, who: str) -> int:
        """Seconds until one more fits, of who was refused."""
        key, seconds = rate.key_for(act.name, _digest(who)), rate.get_expiry()
        window = self._asked(partial(self._storage.get_sliding_window, key, seconds), None)
        return wait_for(rate.amount, seconds, *window) if window else seconds

    def _too_many(self, act: Act, rate: RateLimitItem, wait: int, whence: str) -> Problem:
        log.info("too many %s", act.value, extra={"limit": str(rate), "by": "address" if whence else "identity"})
        detail = f"There were too many {act.value}{whence} in a short time. Try again {in_words(wait)}."
        return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(wait)})

    def _asked(self, ask: Callable[[], T], otherwise: U) -> T | U:
        """What Redis says; where it says nothing in time, `otherwise`, and to others too, for a while."""
        if self._clock() < self._silent_until:
            return otherwise
        try:
            return patiently(ask)
        except RedisError as error:
            self._silent_until = self._clock() + SILENCE
            log.warning("Redis does not count, everybody passes for %g s: %s", SILENCE, error)
            return otherwise

    def _reported(self, report: Callable[[], None]) -> None:
        try:
            report()
        except RedisError as error:
            log.warning("open connections not reported: %s", error)

    def _address(self) -> str:
        return client_address(request.environ, self._settings.trusted_proxies)


def wait_for(amount: int, expiry: int, previous: int, previous_left: float, current: int, current_left: float) -> int:
    """Whole seconds until one more fits into a sliding window, if nobody else comes.

    What is counted is `current`, and of `previous` as much as is left of its window. `current` was begun to be counted
    `expiry * 2 - current_left` seconds ago, and becomes the previous one `expiry` seconds after that.
    """
    if current < amount:
        room = amount - current  # what the previous one counts for is rounded down, and must be less than this
        wait = previous_left - room * expiry / previous if previous else 0.0
    else:
        wait = current_left - expiry + expiry * (1 - amount / current)
    return max(1, math.floor(wait) + 1)


def _rates(settings: LimitSettings) -> dict[Act, Rates]:
    told = {
        Act.SEND: (settings.sends_per_identity, settings.sends_per_address),
        Act.FOLLOW: (settings.follows_per_identity, settings.follows_per_address),
        Act.SHARE_OPEN: (settings.share_opens_per_identity, settings.share_opens_per_address),
        Act.SHARE_GUESS: (settings.share_guesses, "none"),
        Act.NEW_IDENTITY: ("none", settings.new_identities_per_address),
        Act.REMARK: (settings.remarks_per_identity, settings.remarks_per_address),
    }
    return {act: Rates(*map(parsed_rates, both)) for act, both in told.items()}


def _digest(who: str) -> str:
    """Identities stay out of Redis."""
    return hashlib.sha256(who.encode()).hexdigest()[:16]
