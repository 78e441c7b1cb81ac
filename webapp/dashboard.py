"""rq-dashboard at /rq, behind the admin's password. Its own code is adapted here and nowhere else."""

from typing import Any

import rq_dashboard.web
from flask import Flask, Response, request
from redis import Redis
from rq import Worker
from rq.worker.base import BaseWorker

from jobs import SERIALIZER
from webapp.admin import admit


class _JSONWorker(Worker):
    """rq-dashboard asks for all workers without naming the serializer, and fails at the first busy one."""

    @classmethod
    def all(cls, *args: Any, **options: Any) -> list[BaseWorker]:
        return Worker.all(*args, **{**options, "serializer": SERIALIZER})


def init_dashboard(app: Flask, redis: Redis, password: str | None) -> None:
    """Mount the dashboard. Without a password every address below /rq is 404."""
    dashboard = rq_dashboard.web
    dashboard.config.serializer = SERIALIZER
    dashboard.Worker = _JSONWorker
    # It would open a new connection for each request; ours is there already, and its address is nobody's business.
    hooks = dashboard.blueprint.before_request_funcs.get(None, [])
    if dashboard.push_rq_connection in hooks:
        hooks.remove(dashboard.push_rq_connection)
    app.redis_conn = redis  # type: ignore[attr-defined]  # where it looks for one
    app.config["RQ_DASHBOARD_REDIS_URL"] = ("Redis",)
    app.add_url_rule(
        "/static/<path:filename>", "static", build_only=True
    )  # its pages name an icon of ours; there is none
    app.register_blueprint(dashboard.blueprint, url_prefix="/rq")

    def guard() -> None:
        if request.blueprint == dashboard.blueprint.name:
            admit(password)

    app.before_request(guard)

    def defuse(response: Response) -> Response:
        """Its pages put what a job says (its result, its traceback) into the document as HTML: so no JSON has a tag."""
        if request.blueprint == dashboard.blueprint.name and response.is_json:
            response.set_data(response.get_data().replace(b"<", b"&lt;"))
        return response

    app.after_request(defuse)
