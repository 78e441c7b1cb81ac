"""Conversations: begin, list, read, rename, delete."""

import logging
from contextlib import suppress
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from redis import RedisError

from conversations import ConversationRecord
from streams import StreamNotFound
from webapp.identity import current_owner, welcome
from webapp.problems import described
from webapp.responses import respond
from webapp.schemas import (
    Conversation,
    ConversationPage,
    ConversationPath,
    ListQuery,
    MessagePath,
    NewConversation,
    Rename,
)
from webapp.services import Services

log = logging.getLogger(__name__)

BAD, MISSING = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND


def conversation_views(services: Services) -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint(
        "conversations",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="conversations")],
        abp_security=[{"cookie": []}],
        abp_responses=described(),
    )
    store = services.store

    @api.post("/conversations", responses={201: Conversation, **described(BAD)})
    def create(body: NewConversation) -> Response:
        """Begin a conversation."""
        record = store.create_conversation(welcome(), title=body.title, system_prompt=body.system_prompt)
        return respond(_shown(record), HTTPStatus.CREATED)

    @api.get("/conversations", responses={200: ConversationPage, **described(BAD)})
    def browse(query: ListQuery) -> Response:
        """List your conversations, the newest activity first."""
        page = store.list_conversations(current_owner(), limit=query.limit, before=query.before, words=query.q)
        return respond(ConversationPage.model_validate(page))

    @api.get("/conversations/<id:conversation_id>", responses={200: Conversation, **described(MISSING)})
    def read(path: ConversationPath) -> Response:
        """Read a conversation with the messages of its active path."""
        return respond(_shown(_up_to_date(services, current_owner(), path.conversation_id)))

    @api.patch("/conversations/<id:conversation_id>", responses={200: Conversation, **described(BAD, MISSING)})
    def rename(path: ConversationPath, body: Rename) -> Response:
        """Give a conversation a new title."""
        return _changed(store.change(current_owner(), path.conversation_id, title=body.title))

    @api.delete("/conversations/<id:conversation_id>", responses={204: None, **described(MISSING)})
    def delete(path: ConversationPath) -> Response:
        """Delete a conversation for good, and stop what is being written in it."""
        deleted = store.delete(current_owner(), path.conversation_id)
        if deleted.stream_id:
            _cancel(services, deleted.stream_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    @api.post("/messages/<id:message_id>/select", responses={200: Conversation, **described(MISSING)})
    def select(path: MessagePath) -> Response:
        """Show this version of a message, and what followed it, instead of its siblings."""
        return _changed(store.select_version(current_owner(), path.message_id))

    def _changed(record: ConversationRecord) -> Response:
        services.announce(record.id, record.version)
        return respond(_shown(record))

    return api


def _shown(record: ConversationRecord) -> Conversation:
    return Conversation.model_validate(record)


def _up_to_date(services: Services, owner: str, conversation_id: str) -> ConversationRecord:
    """The conversation, after a stream that is over was settled: nobody waits for an answer that nobody writes."""
    record = services.store.conversation(owner, conversation_id)
    if record.generating is None:
        return record
    try:
        settled = services.settler.settle(record.generating)
    except RedisError as error:  # history can be read without Redis
        log.warning("could not look at a stream: %s", error, extra={"stream_id": record.generating})
        return record
    return services.store.conversation(owner, conversation_id) if settled else record


def _cancel(services: Services, stream_id: str) -> None:
    """Best effort: its conversation is gone already, and so nothing of the stream will be saved."""
    try:
        with suppress(StreamNotFound):
            services.control.ask_cancel(stream_id)
    except RedisError as error:
        log.warning("a deleted conversation's stream goes on: %s", error, extra={"stream_id": stream_id})
