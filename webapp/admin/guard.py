"""The door of the admin pages: a session for people, HTTP Basic for programs, the login page for all others."""

import hmac
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response, after_this_request, redirect, request
from redis import Redis
from werkzeug.exceptions import HTTPException, NotFound

from webapp.admin.attempts import Attempts
from webapp.admin.sessions import Session, Sessions
from webapp.defence.addresses import client_address
from webapp.defence.sites import is_from_elsewhere
from webapp.problems import Problem

ADMIN = "admin"  # the user's name, for HTTP Basic and for password managers
COOKIE = "rejoinder_admin"
LOGIN = "/admin/login"


class Admin:
    """The administrator, if there is one: without a password there is none, and nothing to be found."""

    def __init__(
        self,
        password: str | None,
        keys: Sequence[str],
        redis: Redis,
        *,
        trusted_proxies: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._password = password
        self._trusted_proxies = trusted_proxies
        self._attempts = Attempts(redis)
        self._sessions = Sessions(keys, password or "", redis, clock)
        self.pages: list[tuple[str, str, str]] = []
        """What the index shows, in this order: path, name, and a sentence. Every room adds its own as it is mounted."""

    def admit(self) -> None:
        """Let only the administrator pass, who came to this page on their own account. Raises NotFound, Problem, and
        what leads to the login page."""
        self.must_exist()
        if session := self.session():
            refuse_other_sites()
            if _is_opening_a_page():
                self._give(self._sessions.renew(session))
        elif request.authorization is not None:
            given = request.authorization
            if given.username != ADMIN or not self.is_password(given.password or ""):
                raise _who_are_you()
            refuse_other_sites()
        elif _is_opening_a_page():
            raise HTTPException(response=redirect(f"{LOGIN}?{urlencode({'next': _here()})}", HTTPStatus.SEE_OTHER))
        else:
            raise _who_are_you()

    def must_exist(self) -> None:
        """Raises NotFound unless there is an administrator."""
        if self._password is None:
            raise NotFound

    def session(self) -> Session | None:
        """The session that this request belongs to."""
        cookie = request.cookies.get(COOKIE)
        return self._sessions.find(cookie) if cookie and self._password is not None else None

    def who(self) -> dict[str, str]:
        """Of a request that was admitted, for the log: where it came from, and by which login."""
        session = self.session()
        return {"address": self._address(), "login": f"session {session.id[:8]}" if session else "basic"}

    def is_password(self, given: str) -> bool:
        """Whether this is the password. Raises Problem for whoever has tried too often."""
        right = hmac.compare_digest(given.encode(), (self._password or "").encode())
        return self._attempts.judge(right and self._password is not None, self._address())

    def sign_in(self) -> None:
        """Begin a session with this answer: always a new one, whatever cookie came along."""
        self._give(self._sessions.begin())

    def sign_out(self) -> None:
        """End the session of this request. Raises redis.RedisError."""
        if session := self.session():
            self._sessions.end(session)
        self._give("")

    def _address(self) -> str:
        return client_address(request.environ, self._trusted_proxies)

    def _give(self, cookie: str) -> None:
        @after_this_request
        def give(response: Response) -> Response:
            options = {"path": "/", "httponly": True, "samesite": "Strict", "secure": request.is_secure}
            if cookie:
                response.set_cookie(COOKIE, cookie, **options)  # type: ignore[arg-type]
            else:
                response.delete_cookie(COOKIE, **options)  # type: ignore[arg-type]
            return response


def refuse_other_sites() -> None:
    """Also those that would only have something read: what some of these pages do, they do on being read.

    Raises Problem.
    """
    if is_from_elsewhere():
        raise Problem(HTTPStatus.FORBIDDEN, "Another site may not send you here. Open this page by its address.")


def _is_opening_a_page() -> bool:
    """Not a script of a page, nor a program."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def _here() -> str:
    return request.full_path if request.query_string else request.path


def _who_are_you() -> Problem:
    detail = f"This is for the administrator. Sign in at {LOGIN}, or as user {ADMIN} by HTTP Basic."
    by_script = "Sec-Fetch-Mode" in request.headers or "X-Requested-With" in request.headers
    # The browser would ask with a window of its own, in the middle of a page whose session is over.
    headers = {} if by_script else {"WWW-Authenticate": 'Basic realm="Rejoinder", charset="UTF-8"'}
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers=headers)
