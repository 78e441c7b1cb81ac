"""Small pages that the server makes itself, in the look of the page: no scripts, and nothing from elsewhere."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, current_app, render_template, request

from webapp.defence.destinations import own_path

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
TITLES = {
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at once",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not at the moment",
}
NOWHERE = "No page is at this address: it was mistyped, or what it led to was deleted."
PASSING = set(TITLES) - {HTTPStatus.NOT_FOUND}  # what may be well when one tries again


def init_plain(app: Flask) -> None:
    """Mount what these pages load; whoever opens an address and meets a problem reads of it on such a page."""
    look = LOOK.read_bytes()

    def plain_look() -> Response:
        return Response(look, mimetype="text/css", headers={"Cache-Control": "max-age=3600"})

    app.add_url_rule("/plain/look.css", view_func=plain_look)
    app.after_request(_for_people)


def plain_page(
    template: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None, **words: object
) -> Response:
    """A page of templates/, filled with these words."""
    own = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    home = "page" in current_app.view_functions  # the dashboard may be alone
    return Response(
        render_template(template, home=home, **words), status, {**own, **(headers or {})}, mimetype="text/html"
    )


def notice(
    status: HTTPStatus, title: str, detail: str, *, again: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """A page that says what went wrong, and offers to try again at this address and to go home."""
    return plain_page("plain/notice.html", status, headers, title=title, detail=detail, again=again)


def _for_people(response: Response) -> Response:
    """A problem as a page, if a browser would show it as such. Scripts and programs, and all of the API, get JSON."""
    opened = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    if not opened or response.mimetype != "application/problem+json" or request.path.startswith("/api/"):
        return response
    status = HTTPStatus(response.status_code)
    again = own_path(request.full_path.rstrip("?")) if status in PASSING else ""
    detail = NOWHERE if status == HTTPStatus.NOT_FOUND else response.get_json()["detail"]
    page = notice(status, TITLES.get(status, status.phrase), detail, again=again)
    for name, value in response.headers:
        if name not in page.headers:
            page.headers[name] = value
    return page
