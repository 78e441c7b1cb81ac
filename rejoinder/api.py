"""The JSON API of a server, asked until it answers: everything that is asked here may be asked again."""

import re
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from http.cookies import CookieError, SimpleCookie
from typing import Any

import requests

from rejoinder.errors import NotThere, Refused
from rejoinder.patience import Patience

Json = dict[str, Any]

LIMIT = (5.0, 30.0)  # seconds to connect, and to answer
COOKIE = "rejoinder"
TOO_MANY = 429
LATER = (TOO_MANY, 502, 503, 504)  # what a moment may mend
GONE = (404, 410)
NUMBER = re.compile(r"\[Errno -?\d+\] ")  # in front of the operating system's words


class Api:
    """One server and one identity."""

    def __init__(self, server: str, cookie: str | None, patience: Patience) -> None:
        """`cookie` is what a browser sends: `name=value`, or the value alone."""
        self.server = server
        self._patience = patience
        self._cookies = parsed_cookie(cookie or "")
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # those here are enough

    @property
    def cookie(self) -> str:
        """What to send as `Cookie` to be the same identity; empty for a stranger."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def get(self, path: str) -> Json:
        """Raises NotThere, Refused, Unreachable."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None) -> Json:
        """As `get`."""
        return self._ask("POST", path, body or {}, headers or {})

    def _ask(self, method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Json:
        while True:
            try:
                response = self._session.request(
                    method,
                    self.server + path,
                    json=body,
                    headers={**headers, **({"Cookie": self.cookie} if self._cookies else {})},
                    timeout=LIMIT,
                    allow_redirects=False,  # a cookie is for nobody else
                )
            except requests.RequestException as error:
                self._patience.wait(f"{self.server} cannot be reached ({cause_of(error)})")
                continue
            if response.status_code in LATER:
                asked = seconds_of(response.headers.get("Retry-After"))
                if response.status_code == TOO_MANY and not self._patience.has(asked or 0.0):
                    raise Refused(_detail(response))
                self._patience.wait(f"{self.server} says: {_detail(response)}".rstrip("."), asked=asked)
                continue
            self._patience.worked()
            self._cookies |= {cookie.name: cookie.value or "" for cookie in response.cookies}
            if response.is_redirect:
                raise Refused(f"{self.server} has moved to {response.headers['Location']}: use that address.")
            if response.status_code in GONE:
                raise NotThere(_detail(response))
            if not response.ok:
                raise Refused(_detail(response))
            try:
                answer = response.json()
            except ValueError:
                answer = None
            if not isinstance(answer, dict):
                raise Refused(f"{self.server} answers with something that is not of Rejoinder's API.")
            return answer


def parsed_cookie(text: str) -> dict[str, str]:
    """Its names and values. Raises ValueError for what is no cookie."""
    named = text if not text or "=" in text.split(".")[0] else f"{COOKIE}={text}"
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(named).items()}
    except CookieError as error:
        raise ValueError(str(error)) from None


def seconds_of(retry_after: str | None) -> float | None:
    """The header's seconds; None where it has none, or a date, which a clock that is off would turn into anything."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None


def cause_of(error: BaseException) -> str:
    """The innermost words of an error of the network: libraries wrap them again and again."""
    inner = error
    while isinstance(deeper := getattr(inner, "reason", None) or next(iter(inner.args), None), BaseException):
        inner = deeper
    words = str(inner).rpartition(": ")[2]
    return NUMBER.sub("", words) or type(inner).__name__


def _detail(response: requests.Response) -> str:
    """What the server says that is wrong, in its own words where it has some (RFC 9457)."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    return detail if isinstance(detail, str) and detail else f"HTTP {response.status_code} {response.reason}."
