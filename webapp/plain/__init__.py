"""Small pages that the server makes itself, in the look of the page: no scripts, and nothing from elsewhere."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, render_template

LOOK = Path(__file__).parent / "look.css"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def init_plain(app: Flask) -> None:
    """Mount what these pages load."""
    look = LOOK.read_bytes()

    def plain_look() -> Response:
        return Response(look, mimetype="text/css", headers={"Cache-Control": "max-age=3600"})

    app.add_url_rule("/plain/look.css", view_func=plain_look)


def plain_page(
    template: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None, **words: object
) -> Response:
    """A page of templates/, filled with these words."""
    own = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return Response(render_template(template, **words), status, {**own, **(headers or {})}, mimetype="text/html")


def notice(
    status: HTTPStatus, title: str, detail: str, *, again: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """A page that says what went wrong, and offers to try again at this address and to go home."""
    return plain_page("plain/notice.html", status, headers, title=title, detail=detail, again=again)
