"""`/metrics`, for Prometheus: the numbers of all processes of this gunicorn together."""

import hmac
from http import HTTPStatus

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from werkzeug.exceptions import NotFound

from telemetry.exposition import CONTENT_TYPE_LATEST
from webapp.admin import Admin
from webapp.metrics import EXPOSITION
from webapp.problems import Problem, described


def scrape_views(token: str | None, admin: Admin) -> APIBlueprint:
    """The route of this feature. With neither token nor administrator it is 404."""
    admin.pages.append(("/metrics", "Metrics", "All figures, for Prometheus."))
    api = APIBlueprint(
        "metrics",
        __name__,
        abp_tags=[Tag(name="health")],
        abp_security=[{"admin": []}, {"scraper": []}],
        abp_responses=described(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    )

    @api.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    def metrics() -> Response:
        """What this server has counted, in Prometheus' text format. For METRICS_TOKEN, and for the administrator."""
        if not _is_scraper(token):
            try:
                admin.admit()
            except NotFound:
                if token is None:
                    raise
                detail = "This is for who has the token of METRICS_TOKEN."
                raise Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"}) from None
        return Response(EXPOSITION.text(), content_type=CONTENT_TYPE_LATEST)

    return api


def _is_scraper(token: str | None) -> bool:
    given = request.authorization
    if token is None or given is None or given.type != "bearer":
        return False
    return hmac.compare_digest((given.token or "").encode(), token.encode())
