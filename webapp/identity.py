"""Who is asking: an owner in Flask's signed session cookie, anonymous until they sign in (accounts/).

Only the page, the creation of a conversation, and what is said by a share give out a new identity. A visitor without a
cookie who merely reads is a stranger who owns nothing. Were every answer to carry a new identity, two first requests at
once would each get their own, and what one of them created would belong to nobody.
"""

import secrets
import time
from collections.abc import Sequence
from datetime import timedelta

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

LIFETIME = timedelta(days=365)  # from the last time that the page was opened
ACCOUNT_LIFETIME = timedelta(days=30)  # …of an account's: whoever was taken out at the provider is out here too then
COOKIE = "rejoinder"
STRANGER = ""  # no conversation belongs to it


class _SchemeAwareSessions(SecureCookieSessionInterface):
    """The cookie is `Secure` wherever the visitor came by https, so that the same settings serve both."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 (Flask's signature)
        return request.is_secure


def init_identity(app: Flask, secret_key: str, fallbacks: Sequence[str] = ()) -> None:
    """Sign cookies with this key. A leaked cookie is readable, but nobody can make one.

    One that was signed with a fallback is good too, and is signed anew when its owner opens the page.
    """
    app.secret_key = secret_key
    app.config["SECRET_KEY_FALLBACKS"] = list(fallbacks)
    app.session_interface = _SchemeAwareSessions()
    app.permanent_session_lifetime = LIFETIME
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # the page renews it; API answers need not carry a cookie each
    )


def current_owner() -> str:
    """The owner whose cookie came with this request, or `STRANGER`."""
    owner = session.get("owner")
    return owner if isinstance(owner, str) and not _is_over() else STRANGER


def _is_over() -> bool:
    """Whether this browser was an account's for too long without opening the page."""
    opened = session.get("account")
    return isinstance(opened, int) and _now() - opened > ACCOUNT_LIFETIME.total_seconds()


def _now() -> int:
    return int(time.time())


def become(owner: str, *, was: str) -> None:
    """From now on this browser is this owner, an account. Of who it `was` before, once more is asked: see `former`."""
    session.clear()
    session.permanent = True
    session["owner"] = owner
    session["account"] = _now()
    if was:
        session["was"] = was


def former() -> str:
    """Who this browser was before it became an account, until that is forgotten; or `STRANGER`. A request that was
    under way with the identity of before may have left something with it."""
    was = session.get("was", STRANGER)
    return was if isinstance(was, str) else STRANGER


def forget_former() -> None:
    """What it had before has been taken along."""
    session.pop("was", None)


def leave() -> None:
    """From now on this browser is nobody; with its next page it gets a new identity."""
    session.clear()


def welcome() -> str:
    """As `current_owner`, but a stranger gets an identity; either way the cookie lives a year from now."""
    if _is_over():
        leave()
    owner = current_owner() or secrets.token_urlsafe(16)  # 128 bits
    session.permanent = True
    session["owner"] = owner
    if "account" in session:
        session["account"] = _now()
    return owner
