"""rq-dashboard at /rq, behind the administrator's door. Its own code is adapted here and nowhere else.

What it does not know: that jobs are JSON, and that a worker of ours runs many at once. So its page of workers is ours
(templates/rq_dashboard/workers.html), fed by `workers_seen`.
"""

import json
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

import rq_dashboard.web
from flask import Flask, Response, jsonify, redirect, request
from redis import Redis
from rq import Worker
from rq.job import Job
from rq.worker.base import BaseWorker
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from jobs import SERIALIZER
from webapp.admin import Admin, init_admin
from webapp.defence.headers import init_headers
from webapp.defence.keys import plain
from webapp.identity import init_identity
from webapp.observing.correlation import init_correlation
from webapp.plain import init_plain
from webapp.problems import init_problems
from webapp.responses import respond
from webapp.schemas import Alive
from webapp.settings import Settings
from webapp.validation import init_bodies

ENTITIES = str.maketrans({"<": "&lt;", '"': "&quot;", "'": "&#39;"})
LOOKALIKES = str.maketrans({"<": "‹", '"': "”", "'": "’"})
# Put in as text, where entities could be read. Signs that look alike do no harm either, should it become HTML again.
AS_TEXT = {"rq_dashboard.list_jobs": {"description", "exc_info"}}
JOBS_SHOWN = 5  # of each worker; the page of started jobs has them all


class _JSONWorker(Worker):
    """rq-dashboard asks for all workers without naming the serializer, and fails at the first busy one."""

    @classmethod
    def all(cls, *args: Any, **options: Any) -> list[BaseWorker]:
        return Worker.all(*args, **{**options, "serializer": SERIALIZER})


def init_dashboard(app: Flask, redis: Redis, admin: Admin) -> None:
    """Mount the dashboard. Without an administrator every address below /rq is 404."""
    admin.pages.append(("/rq/", "Queue", "What is queued, running, finished and failed, and by which workers."))
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

    def list_workers(instance_number: int) -> Response:  # noqa: ARG001 (there is one)
        return jsonify(workers=workers_seen(redis))

    app.view_functions[f"{dashboard.blueprint.name}.list_workers"] = list_workers

    def guard() -> None:
        if request.blueprint == dashboard.blueprint.name:
            admin.admit()

    app.before_request(guard)

    def defuse(response: Response) -> Response:
        """Its pages put what a job says of itself (its id, its result, its traceback) into the document as HTML, and
        into attributes: so no text in its JSON has what would end one or begin the other."""
        if request.blueprint == dashboard.blueprint.name and response.is_json:
            as_text = AS_TEXT.get(str(request.endpoint), set())
            response.set_data(json.dumps(_defused(response.get_json(), as_text)))
        return response

    app.after_request(defuse)


def _defused(told: Any, as_text: Collection[str], instead: Mapping[int, str] = ENTITIES) -> Any:
    if isinstance(told, str):
        return told.translate(instead)
    if isinstance(told, list):
        return [_defused(each, as_text, instead) for each in told]
    if isinstance(told, dict):
        return {
            name.translate(ENTITIES): _defused(value, as_text, LOOKALIKES if name in as_text else ENTITIES)
            for name, value in told.items()
        }
    return told


def create_dashboard(settings: Settings, redis: Redis) -> Flask:
    """The dashboard alone, behind the same login. Sessions are good in both where both have one host."""
    app = Flask(__name__, static_folder=None)
    init_identity(app, settings.secret_key.get_secret_value(), plain(settings.secret_key_fallbacks))
    init_correlation(app)
    init_problems(app)
    init_headers(app)
    init_bodies(app)
    init_plain(app)
    init_dashboard(app, redis, init_admin(app, settings, redis))

    @app.get("/")
    def home() -> AnyResponse:
        return redirect("/admin", HTTPStatus.SEE_OTHER)

    @app.get("/healthz")
    def healthz() -> Response:
        """As that of the web process."""
        return respond(Alive(status="ok"))

    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    return app


def workers_seen(redis: Redis) -> list[dict[str, Any]]:
    """All workers, those that work first: how many jobs each runs of how many it may, and the newest of them."""
    workers = [_seen(worker, redis) for worker in _JSONWorker.all(connection=redis)]
    return sorted(workers, key=lambda worker: (-worker["running"], worker["name"]))


def _seen(worker: BaseWorker, redis: Redis) -> dict[str, Any]:
    running = sorted(worker.get_current_executions(), key=lambda each: each.created_at, reverse=True)
    newest = [each.job_id for each in running[:JOBS_SHOWN]]
    jobs = [job for job in Job.fetch_many(newest, connection=redis, serializer=SERIALIZER) if job]
    concurrency = redis.hget(worker.key, "concurrency")  # workers/worker.py
    return {
        "name": worker.name,
        "host": worker.hostname or "",
        "pid": worker.pid,
        "state": str(worker.get_state()),
        "queues": worker.queue_names(),
        "running": len(running),
        "concurrency": int(concurrency) if concurrency else None,
        "jobs": [{"id": job.id, "description": job.description or job.id} for job in jobs],
        "finished": worker.successful_job_count,
        "failed": worker.failed_job_count,
        "since": worker.birth_date and worker.birth_date.isoformat(),
        "heartbeat": worker.last_heartbeat and worker.last_heartbeat.isoformat(),
        "versions": f"RQ {worker.version} / Python {worker.python_version}",
    }
