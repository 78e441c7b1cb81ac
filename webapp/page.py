"""Serves the built page: the document itself for every address of the page, and its hashed files by WhiteNoise."""

import re
from http import HTTPStatus
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask, Response, request
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from webapp.headers import PAGE_POLICY, SAME_FOR_ALL
from webapp.identity import welcome
from webapp.problems import Problem

HASHED = re.compile(r"^/assets/.+-[\w-]{8,}\.\w+$")  # as Vite names what never changes under its name


def init_page(app: Flask, folder: Path) -> None:
    """Serve the page in `folder`. It is read now: a page built later is served after a restart."""
    document = folder / "index.html"
    html = document.read_bytes() if document.is_file() else None

    def page(conversation_id: str = "") -> Response:  # noqa: ARG001 (the page's own business)
        if html is None:
            detail = "The page has not been built. Run `make page` in the project's folder, then start again."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        welcome()
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "private, no-cache"}
        response = Response(html, headers=headers, mimetype="text/html")
        response.add_etag()
        return response.make_conditional(request)  # type: ignore[return-value]  # it returns itself

    app.add_url_rule("/", "page", page)
    app.add_url_rule("/c/<id:conversation_id>", "page", page)
    if html is not None:
        files = WhiteNoise(
            app.wsgi_app, root=folder, max_age=3600, immutable_file_test=_is_hashed, add_headers_function=_add_headers
        )
        del files.files["/index.html"]  # only with its cookie and its policy
        app.wsgi_app = files  # type: ignore[method-assign]


def _is_hashed(_path: str, url: str) -> bool:
    return HASHED.match(url) is not None


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    for name, value in SAME_FOR_ALL.items():
        headers[name] = value
