"""The discussion beside a conversation: read it, say something, take something back. Through two doors, to one room."""

from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from conversations import NotShared, Visitor
from webapp.access import OwnerAccess, Place, ShareAccess
from webapp.defence.limits import Act
from webapp.identity import current_owner
from webapp.problems import described
from webapp.responses import respond
from webapp.schemas import (
    ConversationPath,
    NewRemark,
    Remark,
    RemarkPath,
    Remarks,
    RemarksQuery,
    SharedRemarkPath,
    SharePath,
)
from webapp.services import Services

BAD, FORBIDDEN, MISSING, FULL, OVER, TOO_MANY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.GONE,
    HTTPStatus.TOO_MANY_REQUESTS,
)


def remark_views(services: Services) -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint(
        "remarks",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="discussion")],
        abp_security=[{"cookie": []}],
        abp_responses=described(),
    )
    store = services.store

    @api.get("/conversations/<id:conversation_id>/remarks", responses={200: Remarks, **described(BAD, MISSING)})
    def read(path: ConversationPath, query: RemarksQuery) -> Response:
        """Read the discussion of your conversation, from a change on."""
        return _read(_mine(path.conversation_id), query)

    @api.post(
        "/conversations/<id:conversation_id>/remarks",
        responses={201: Remark, **described(BAD, MISSING, FULL, TOO_MANY)},
    )
    def say(path: ConversationPath, body: NewRemark) -> Response:
        """Say something beside your conversation."""
        services.limits.count(Act.REMARK)
        return _say(_mine(path.conversation_id), Visitor(current_owner(), body.name), body, None)

    @api.delete(
        "/conversations/<id:conversation_id>/remarks/<id:remark_id>", responses={200: Remark, **described(MISSING)}
    )
    def remove(path: RemarkPath) -> Response:
        """Remove anybody's remark from the discussion of your conversation."""
        return _remove(_mine(path.conversation_id), path.remark_id)

    by_share = described(BAD, FORBIDDEN, MISSING, FULL, OVER, TOO_MANY)

    @api.get("/shares/<id:share_id>/remarks", responses={200: Remarks, **by_share})
    def read_shared(path: SharePath, query: RemarksQuery) -> Response:
        """Read the discussion of a shared conversation, from a change on."""
        services.limits.count(Act.SHARE_OPEN)
        return _read(_shared(path.share_id), query)

    @api.post("/shares/<id:share_id>/remarks", responses={201: Remark, **by_share})
    def say_shared(path: SharePath, body: NewRemark) -> Response:
        """Say something beside a shared conversation."""
        services.limits.count(Act.REMARK)
        return _say(_shared(path.share_id), Visitor(services.limits.welcome(), body.name), body, path.share_id)

    @api.delete("/shares/<id:share_id>/remarks/<id:remark_id>", responses={200: Remark, **by_share})
    def take_back(path: SharedRemarkPath) -> Response:
        """Take back a remark of your own."""
        return _remove(_shared(path.share_id), path.remark_id)

    def _mine(conversation_id: str) -> Place:
        return OwnerAccess(services.door, current_owner()).conversation(conversation_id)

    def _shared(share_id: str) -> Place:
        with services.limits.looking_up(share_id):
            place = ShareAccess(services.door, share_id).conversation(share_id)
        if not place.discussion:
            raise NotShared("discussing")
        return place

    def _read(place: Place, query: RemarksQuery) -> Response:
        return respond(Remarks.model_validate({"items": store.remarks(place.conversation_id, after=query.after)}))

    def _say(place: Place, visitor: Visitor, body: NewRemark, share_id: str | None) -> Response:
        remark = store.add_remark(place.conversation_id, visitor, body.content, share_id=share_id)
        services.announce_change(place.conversation_id)
        return respond(Remark.model_validate(remark), HTTPStatus.CREATED)

    def _remove(place: Place, remark_id: str) -> Response:
        remark = store.remove_remark(current_owner(), place.conversation_id, remark_id)
        services.announce_change(place.conversation_id)
        return respond(Remark.model_validate(remark))

    return api
