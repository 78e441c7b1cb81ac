"""Who may see what is for whoever runs this: user `admin`, with the password of ADMIN_PASSWORD."""

import hmac
from http import HTTPStatus

from flask import request
from werkzeug.exceptions import NotFound

from webapp.problems import Problem

ADMIN = "admin"


def admit(password: str | None) -> None:
    """Let only the administrator pass. Without a password there is none, and nothing to be found here."""
    if password is None:
        raise NotFound
    given = request.authorization
    if given is None or given.username != ADMIN or not _same(given.password or "", password):
        detail = f"This is for the administrator: user {ADMIN}, password from ADMIN_PASSWORD."
        headers = {"WWW-Authenticate": 'Basic realm="Rejoinder", charset="UTF-8"'}
        raise Problem(HTTPStatus.UNAUTHORIZED, detail, headers=headers)
    # A browser sends the password along wherever the request comes from, so another site could empty a queue.
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise Problem(HTTPStatus.FORBIDDEN, "Another site may not send you here. Open this page by its address.")


def _same(given: str, password: str) -> bool:
    """Takes as long for a password that is nearly right as for any other."""
    return hmac.compare_digest(given.encode(), password.encode())
