"""Conversations: begin, list, read, rename, delete."""

import logging
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from redis import RedisError

from conversations import ConversationRecord
from streams import StreamNotFound
from webapp.identity import STRANGER, current_owner, leave
from webapp.patience import patiently
from webapp.problems import described
from webapp.responses import respond
from webapp.schemas import (
    Change,
    Conversation,
    ConversationPage,
    ConversationPath,
    ListQuery,
    MessagePath,
    NewConversation,
)
from webapp.services import Services

log = logging.getLogger(__name__)

BAD, MISSING, TOO_MANY = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS


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

    @api.post("/conversations", responses={201: Conversation, **described(BAD, TOO_MANY)})
    def create(body: NewConversation) -> Response:
        """Begin a conversation."""
        record = store.create_conversation(
            services.limits.welcome(), title=body.title, system_prompt=body.system_prompt
        )
        return _changed(record, HTTPStatus.CREATED)

    @api.get("/conversations", responses={200: ConversationPage, **described(BAD)})
    def browse(query: ListQuery) -> Response:
        """List your conversations, the newest activity first."""
        page = store.list_conversations(current_owner(), limit=query.limit, before=query.before, words=query.q)
        return respond(ConversationPage.model_validate(page))

    @api.get("/conversations/<id:conversation_id>", responses={200: Conversation, **described(MISSING)})
    def read(path: ConversationPath) -> Response:
        """Read a conversation with the messages of its active path."""
        owner = current_owner()
        return respond(_shown(services.settler.settled(lambda: store.conversation(owner, path.conversation_id))))

    @api.patch("/conversations/<id:conversation_id>", responses={200: Conversation, **described(BAD, MISSING)})
    def change(path: ConversationPath, body: Change) -> Response:
        """Give a conversation another title, or the model other instructions."""
        changed = store.change(
            current_owner(), path.conversation_id, title=body.title, system_prompt=body.system_prompt
        )
        return _changed(changed)

    @api.delete("/conversations/<id:conversation_id>", responses={204: None, **described(MISSING)})
    def delete(path: ConversationPath) -> Response:
        """Delete a conversation, and stop what is being written in it. For ten minutes it can be restored."""
        deleted = store.delete(current_owner(), path.conversation_id)
        if deleted.stream_id:
            _cancel(services, deleted.stream_id)
        _gone(deleted.conversation_id, deleted.version, current_owner())
        return Response(status=HTTPStatus.NO_CONTENT)

    @api.post("/conversations/<id:conversation_id>/restore", responses={200: Conversation, **described(MISSING)})
    def restore(path: ConversationPath) -> Response:
        """Take the deletion of a conversation back."""
        return _changed(store.restore(current_owner(), path.conversation_id))

    @api.delete("/me", responses={204: None})
    def erase() -> Response:
        """Remove at once and for good all that is yours: conversations, links, remarks, your name elsewhere, your
        account."""
        owner = current_owner()
        if owner == STRANGER:
            return Response(status=HTTPStatus.NO_CONTENT)
        erased = store.erase(owner)
        for stream_id in erased.stream_ids:
            _cancel(services, stream_id)
        for changed in erased.changed:
            _gone(changed.conversation_id, changed.version, changed.owner)
        leave()
        return Response(status=HTTPStatus.NO_CONTENT)

    @api.post("/messages/<id:message_id>/select", responses={200: Conversation, **described(MISSING)})
    def select(path: MessagePath) -> Response:
        """Show this version of a message, and what followed it, instead of its siblings."""
        return _changed(store.select_version(current_owner(), path.message_id))

    def _gone(conversation_id: str, version: int, owner: str) -> None:
        services.announce_change(conversation_id)  # whoever came by a share is to be shut out
        services.announce(conversation_id, version, owner)

    def _changed(record: ConversationRecord, status: HTTPStatus = HTTPStatus.OK) -> Response:
        services.announce(record.id, record.version, record.owner)
        return respond(_shown(record), status)

    return api


def _shown(record: ConversationRecord) -> Conversation:
    return Conversation.model_validate(record)


def _cancel(services: Services, stream_id: str) -> None:
    """Best effort: its conversation is gone already, and so nothing of the stream will be saved."""
    try:
        with suppress(StreamNotFound):
            patiently(partial(services.control.ask_cancel, stream_id))
    except RedisError as error:
        log.warning("a deleted conversation's stream goes on: %s", error, extra={"stream_id": stream_id})
