"""Generations: send a message, ask for another version, stop."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from conversations import records
from webapp.identity import current_owner
from webapp.models import chosen_model
from webapp.problems import described
from webapp.responses import respond
from webapp.schemas import (
    ConversationPath,
    MessagePath,
    ModelChoice,
    NewMessage,
    SendHeaders,
    Sent,
    Stopped,
    StreamPath,
)
from webapp.sending import count_send, start_generation, stop_generation
from webapp.services import Services

SENT = {
    202: Sent,
    **described(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
}


def generation_views(services: Services) -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint(
        "generations",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="generations")],
        abp_security=[{"cookie": []}],
        abp_responses=described(),
    )
    store = services.store

    @api.post("/conversations/<id:conversation_id>/messages", responses=SENT)
    def send(path: ConversationPath, header: SendHeaders, body: NewMessage) -> Response:
        """Send a message, and have it answered."""
        begin = partial(store.send, current_owner(), path.conversation_id, body.content)
        return _started(begin, body.model, header)

    @api.post("/messages/<id:message_id>/regenerate", responses=SENT)
    def regenerate(path: MessagePath, header: SendHeaders, body: ModelChoice) -> Response:
        """Have another version of an answer written."""
        begin = partial(store.regenerate, current_owner(), path.message_id)
        return _started(begin, body.model, header)

    @api.post("/messages/<id:message_id>/continue", responses=SENT)
    def continue_(path: MessagePath, header: SendHeaders, body: ModelChoice) -> Response:
        """Have an answer that was cut off gone on with, in a version that begins with what there is."""
        begin = partial(store.continue_, current_owner(), path.message_id)
        return _started(begin, body.model, header)

    @api.post("/messages/<id:message_id>/edit", responses=SENT)
    def edit(path: MessagePath, header: SendHeaders, body: NewMessage) -> Response:
        """Send another version of one of your messages, and have it answered."""
        begin = partial(store.edit, current_owner(), path.message_id, body.content)
        return _started(begin, body.model, header)

    @api.post("/streams/<id:stream_id>/stop", responses={202: Stopped, **described(HTTPStatus.NOT_FOUND)})
    def stop(path: StreamPath) -> Response:
        """Stop an answer that is being written; what is there of it stays."""
        store.stream(path.stream_id, current_owner())
        stopping = stop_generation(services, path.stream_id)
        return respond(Stopped(stream=path.stream_id, stopping=stopping), HTTPStatus.ACCEPTED)

    def _started(begin: Callable[..., records.Sent], model: str | None, header: SendHeaders) -> Response:
        count_send(services, current_owner(), header.idempotency_key)
        begin_on = partial(begin, model=chosen_model(services, model), idempotency_key=header.idempotency_key)
        sent = start_generation(services, lambda stream_id: begin_on(stream_id=stream_id))
        return respond(Sent.model_validate(sent), HTTPStatus.ACCEPTED)

    return api
