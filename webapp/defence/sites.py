"""From which site a request comes. A browser sends cookies along wherever a request comes from.

The cookie's SameSite keeps it back in most cases, but not in all: not from other subdomains of one site, nor in old
browsers. So whatever changes something says no to other sites too. A program that is no browser names no site.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, request

from webapp.problems import Problem

READING = {"GET", "HEAD", "OPTIONS"}


def init_sites(app: Flask) -> None:
    """Let no page of another site change anything here."""
    app.before_request(_refuse_changes_by_others)


def _refuse_changes_by_others() -> None:
    if request.method not in READING and is_from_elsewhere():
        raise Problem(HTTPStatus.FORBIDDEN, "A page of another site may not change anything here.")


def is_from_elsewhere() -> bool:
    """Whether another site has caused this request.

    A browser says so, on https and this machine in one header, elsewhere in the other.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"none", "same-origin"}
    origin = request.headers.get("Origin")
    return origin is not None and host_of(origin) != request.host


def host_of(origin: str) -> str | None:
    """Its host and port; None where there is none that can be read."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:  # "http://[", say
        return None
