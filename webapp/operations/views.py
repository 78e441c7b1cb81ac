"""The routes behind the operations page, for it and for programs: `/api/admin/…`, described like all others."""

import logging
from functools import partial
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from conversations import NotFound
from streams import Position, look_at
from telemetry import history as kept
from telemetry.history import Sample, read_samples
from webapp.admin import Admin
from webapp.operations import history as steps
from webapp.operations.measuring import measure
from webapp.operations.overview import look, open_stream
from webapp.operations.schemas import (
    History,
    HistoryQuery,
    Operations,
    OperationsQuery,
    StreamOpened,
    StreamText,
    TextQuery,
)
from webapp.patience import patiently
from webapp.problems import Problem, described, invalid_field
from webapp.responses import respond
from webapp.schemas import Stopped, StreamPath
from webapp.sending import stop_generation
from webapp.services import Services

log = logging.getLogger(__name__)

MAY_NOT_READ = "What answers say is not shown to the administrator. ADMIN_READS_ANSWERS=1 would allow it."
SPANS = {"hour": (steps.HOUR, kept.HOUR), "day": (steps.DAY, kept.DAY)}


def operation_views(services: Services, admin: Admin) -> APIBlueprint:
    """The routes of this feature. Without an administrator they are 404."""
    api = APIBlueprint(
        "operations",
        __name__,
        url_prefix="/api/admin",
        abp_tags=[Tag(name="operations")],
        abp_security=[{"admin": []}],
        abp_responses=described(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    )
    redis = services.redis

    @api.get("/operations", responses={200: Operations, **described(HTTPStatus.BAD_REQUEST)})
    def operations(query: OperationsQuery) -> Response:
        """What there is just now: streams in flight, the queue, and the processes on all machines."""
        admin.admit()
        return respond(look(services, query.streams))

    @api.get(
        "/history",
        responses={200: History, **described(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)},
    )
    def history(query: HistoryQuery) -> Response:
        """How it was in the last hour, in minutes, or in the last day, in half hours."""
        admin.admit()
        span, ring = SPANS[query.span]

        def read() -> tuple[Sample, list[Sample], list[Sample]]:
            now = measure(redis, services.queue, kept.DAY)
            whole = read_samples(redis, kept.DAY, span.seconds)
            return now, whole, whole if ring is kept.DAY else read_samples(redis, ring, span.seconds)

        now, whole, samples = patiently(read)
        base = next((sample for sample in whole if sample.at >= now.at - span.seconds - ring.every), None)
        return respond(steps.history(span, samples, base, now))

    @api.get("/streams/<id:stream_id>", responses={200: StreamOpened, **described(HTTPStatus.SERVICE_UNAVAILABLE)})
    def open_(path: StreamPath) -> Response:
        """All that is known of a stream, but not what it says."""
        admin.admit()
        return respond(open_stream(services, path.stream_id))

    @api.get(
        "/streams/<id:stream_id>/text",
        responses={200: StreamText, **described(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)},
    )
    def read(path: StreamPath, query: TextQuery) -> Response:
        """What a stream says, from a position on, where ADMIN_READS_ANSWERS allows it. Every reading is logged."""
        admin.admit()
        if not services.settings.admin_reads_answers:
            raise Problem(HTTPStatus.FORBIDDEN, MAY_NOT_READ)
        try:
            position = Position.parse(query.position) if query.position else None
        except ValueError as error:
            raise invalid_field("position", str(error)) from None
        log.warning("the administrator reads an answer", extra={"stream_id": path.stream_id, **admin.who()})
        found = patiently(partial(services.control.read, path.stream_id, position))
        return respond(
            StreamText(
                stream=path.stream_id,
                position=f"{found.epoch}:{found.stop}" if found.epoch else None,
                start=found.start,
                text=found.text,
                reasoning=found.reasoning,
                note=found.note,
                ended=found.end is not None,
            )
        )

    @api.post("/streams/<id:stream_id>/stop", responses={202: Stopped, **described(HTTPStatus.SERVICE_UNAVAILABLE)})
    def stop(path: StreamPath) -> Response:
        """Stop an answer, as the person who asked for it can; what is there of it stays."""
        admin.admit()
        [sight] = patiently(partial(look_at, services.stream_redis, [path.stream_id]))
        if sight.state == "missing" and not services.store.answers_of([path.stream_id]):
            raise NotFound("stream", path.stream_id)
        stopping = stop_generation(services, path.stream_id)
        log.warning("the administrator stops an answer", extra={"stream_id": path.stream_id, **admin.who()})
        return respond(Stopped(stream=path.stream_id, stopping=stopping), HTTPStatus.ACCEPTED)

    return api
