"""Serves the built page: the document itself for every address of the page, and its hashed files by WhiteNoise.

What would make the page take back what it shows first is said in the document: that one has to sign in before one asks.
"""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from html import escape
from http import HTTPStatus
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from conversations import NotFound, ShareOver, Store
from webapp.defence.headers import PAGE_POLICY, SAME_FOR_ALL
from webapp.defence.limits import Limits
from webapp.previews import NO_INDEX, preview
from webapp.problems import Problem
from webapp.schemas import SignIn

log = logging.getLogger(__name__)

HASHED = re.compile(r"^/assets/.+-[\w-]{8,}\.\w+$")  # as Vite names what never changes under its name
TITLE = "<title>Rejoinder</title>"  # as it stands in the document; a share's page has another


def init_page(
    app: Flask, folder: Path, store: Store, limits: Limits, sign_in_first: Callable[[], SignIn | None]
) -> None:
    """Serve the page in `folder`. It is read now: a page built later is served after a restart."""
    document = folder / "index.html"
    html = document.read_text() if document.is_file() else None

    def send(head: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
        return _document(html and html.replace(TITLE, _sign_in_tag(sign_in_first) + head), limits, status)

    def page(conversation_id: str = "") -> Response:  # noqa: ARG001 (the page's own business)
        return send(TITLE)

    def shared_page(share_id: str) -> Response:
        """A dead link answers so at once, and the page says it in words. It is never kept, and rarely to be found."""
        status = HTTPStatus.OK
        head = f"{NO_INDEX}\n{TITLE}"
        try:
            with limits.looking_up(share_id):
                share = store.shared(share_id)
            head = preview(share, store.shared_conversation(share_id), request.base_url)
        except ShareOver:
            status = HTTPStatus.GONE
        except NotFound:
            status = HTTPStatus.NOT_FOUND
        except SQLAlchemyError as error:  # the page itself waits for it
            log.warning("no preview: %s", error)
        except Problem as refused:  # the page asks again, and is told so in words
            status = refused.status
        response = send(head, status)
        if NO_INDEX in head:
            response.headers["X-Robots-Tag"] = "noindex"
        return response

    app.add_url_rule("/", "page", page)
    app.add_url_rule("/c/<id:conversation_id>", "page", page)
    app.add_url_rule("/s/<id:share_id>", "shared_page", shared_page)
    if html is not None:
        files = WhiteNoise(
            app.wsgi_app, root=folder, max_age=3600, immutable_file_test=_is_hashed, add_headers_function=_add_headers
        )
        for document_of_its_own in ("/index.html", "/operations.html"):  # only with their policy, and for whom they are
            files.files.pop(document_of_its_own, None)
        app.wsgi_app = files  # type: ignore[method-assign]


def _sign_in_tag(sign_in_first: Callable[[], SignIn | None]) -> str:
    """For whoever must sign in before they may write; empty for all others."""
    try:
        sign_in = sign_in_first()
    except SQLAlchemyError as error:  # the page asks for it again, and waits for the database
        log.warning("not known who opens the page: %s", error)
        return ""
    return f'<meta name="sign-in-first" content="{escape(sign_in.model_dump_json())}">\n' if sign_in else ""


def _document(html: str | None, limits: Limits, status: HTTPStatus) -> Response:
    if html is None:
        detail = "The page has not been built. Run `make page` in the project's folder, then start again."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
    with suppress(Problem):  # one too many for this address still sees the page, and all that needs no identity
        limits.welcome()
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "private, no-cache"}
    response = Response(html, status, headers, mimetype="text/html")
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]  # it returns itself


def _is_hashed(_path: str, url: str) -> bool:
    return HASHED.match(url) is not None


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    for name, value in SAME_FOR_ALL.items():
        headers[name] = value
