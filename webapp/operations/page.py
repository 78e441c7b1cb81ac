"""The operations page itself: a document of the built page (frontend/operations.html), for the administrator only."""

from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response

from webapp.admin import Admin
from webapp.defence.headers import PAGE_POLICY
from webapp.problems import Problem

ADDRESS = "/admin/operations"
NOT_BUILT = "The page has not been built. Run `make page` in the project's folder, then start again."


def init_operations(app: Flask, folder: Path, admin: Admin) -> None:
    """Serve it. Without an administrator it is 404."""
    admin.pages.append((ADDRESS, "Operations", "Streams in flight, the queue, all processes and how it was, live."))
    document = folder / "operations.html"
    html = document.read_text() if document.is_file() else None

    def operations_page() -> Response:
        admin.admit()
        if html is None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_BUILT)
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
        return Response(html, headers=headers, mimetype="text/html")

    app.add_url_rule(ADDRESS, view_func=operations_page)
