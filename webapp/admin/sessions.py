"""The administrator's session: a signed cookie of its own, beside the one of the page.

Rule: everything that ends a session is in here: its age, idleness, signing out, another password. The cookie is signed
with the password too, so whoever changes that has signed everybody out. Nothing is kept in Redis but what was signed
out before its time; while Redis is away, those are believed.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from itsdangerous import BadSignature, URLSafeSerializer
from redis import Redis, RedisError

from webapp.patience import patiently

log = logging.getLogger(__name__)

LIFETIME = timedelta(hours=12).total_seconds()
IDLE = timedelta(
    hours=1
).total_seconds()  # without a page that was opened; one that refreshes itself counts for nothing
SALT = "administrator"


@dataclass(frozen=True, slots=True)
class Session:
    """One login. Moments are in seconds since 1970."""

    id: str
    begun: float
    used: float


class Sessions:
    """`keys` sign: the first one new cookies, each of them those that are there. `clock` as time.time."""

    def __init__(self, keys: Sequence[str], password: str, redis: Redis, clock: Callable[[], float]) -> None:
        bound = [hmac.digest(key.encode(), password.encode(), hashlib.sha256) for key in keys]
        self._signer = URLSafeSerializer(bound[::-1], salt=SALT)  # itsdangerous signs with the last
        self._redis = redis
        self._clock = clock

    def begin(self) -> str:
        """The cookie of a new session."""
        now = self._clock()
        return self._cookie(Session(secrets.token_urlsafe(16), now, now))

    def find(self, cookie: str) -> Session | None:
        """The session that this is the cookie of, if it is one and has not ended."""
        try:
            session = Session(*self._signer.loads(cookie))
        except (BadSignature, TypeError):
            return None
        now = self._clock()
        if now - session.begun > LIFETIME or now - session.used > IDLE or self._was_ended(session):
            return None
        return session

    def renew(self, session: Session) -> str:
        """Its cookie, as of now used."""
        return self._cookie(replace(session, used=self._clock()))

    def end(self, session: Session) -> None:
        """Sign it out, wherever its cookie has been copied to. Raises redis.RedisError."""
        patiently(partial(self._redis.set, _ended(session), "1", ex=round(LIFETIME)))

    def _cookie(self, session: Session) -> str:
        signed = self._signer.dumps([session.id, round(session.begun), round(session.used)])
        return signed if isinstance(signed, str) else signed.decode()

    def _was_ended(self, session: Session) -> bool:
        try:
            return bool(patiently(partial(self._redis.exists, _ended(session))))
        except RedisError as error:  # an outage is what the administrator has come for
            log.warning("not known whether an administrator has signed out: %s", error)
            return False


def _ended(session: Session) -> str:
    return f"rejoinder:admin:{session.id}:ended"
