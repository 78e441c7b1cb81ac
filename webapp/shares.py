"""Shares: the owner makes and revokes links; whoever has one sees, asks and talks by it."""

from functools import partial
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from conversations import (
    Busy,
    ConversationRecord,
    MessageRecord,
    NotFound,
    ShareRecord,
    Terms,
    Visitor,
    records,
    tag_of,
)
from webapp.defence.limits import Act
from webapp.door import Together
from webapp.identity import current_owner
from webapp.problems import Problem, described
from webapp.responses import respond
from webapp.schemas import (
    ConversationPath,
    Message,
    NewShare,
    Question,
    SendHeaders,
    Sent,
    Share,
    SharedConversation,
    SharePath,
    Stopped,
)
from webapp.sending import count_send, start_generation, stop_generation
from webapp.services import Services

BAD, FORBIDDEN, MISSING, OVER = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
)
CONFLICT, TOO_LONG, UNPROCESSABLE, TOO_MANY, AWAY = (
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
ASKED = {202: Sent, **described(BAD, FORBIDDEN, MISSING, CONFLICT, OVER, TOO_LONG, UNPROCESSABLE, TOO_MANY, AWAY)}


def share_views(services: Services) -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint(
        "shares",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="shares")],
        abp_security=[{"cookie": []}],
        abp_responses=described(),
    )
    store = services.store
    readings = Together()  # all who watch read it anew with every change

    @api.post("/conversations/<id:conversation_id>/shares", responses={201: Share, **described(BAD, MISSING)})
    def share(path: ConversationPath, body: NewShare) -> Response:
        """Make a link to a conversation. Whoever has it is let in, until it is revoked or expires."""
        made = store.share(current_owner(), path.conversation_id, Terms(**body.model_dump()))
        services.announce_change(made.conversation_id)
        return respond(Share.model_validate(made), HTTPStatus.CREATED)

    @api.delete("/shares/<id:share_id>", responses={204: None, **described(MISSING)})
    def revoke(path: SharePath) -> Response:
        """Revoke a link. Whoever is watching by it is cut off at once."""
        revoked = store.revoke(current_owner(), path.share_id)
        services.announce_change(revoked.conversation_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    @api.get("/shares/<id:share_id>", responses={200: SharedConversation, **described(MISSING, OVER, TOO_MANY)})
    def read_shared(path: SharePath) -> Response:
        """Read a shared conversation. No account is needed, only the link."""
        services.limits.count(Act.SHARE_OPEN)
        with services.limits.looking_up(path.share_id):
            conversation_id, shown = readings(path.share_id, partial(_read, services, path.share_id))
        return respond(shown.model_copy(update={"me": tag_of(conversation_id, current_owner())}))

    @api.post("/shares/<id:share_id>/messages", responses=ASKED)
    def ask(path: SharePath, header: SendHeaders, body: Question) -> Response:
        """Ask in a shared conversation, if its link is for that. One question at a time, whoever asks it."""
        count_send(services, current_owner(), header.idempotency_key)
        visitor = Visitor(services.limits.welcome(), body.name)

        def begin(stream_id: str) -> records.Sent:
            return store.ask(
                path.share_id,
                visitor,
                body.content,
                stream_id=stream_id,
                model=services.settings.default_model,
                idempotency_key=header.idempotency_key,
            )

        try:
            with services.limits.looking_up(path.share_id):
                sent = start_generation(services, begin)
        except Busy as busy:
            detail = "Another question is being answered just now. Yours can be sent when that answer is complete."
            raise Problem(HTTPStatus.CONFLICT, detail, stream=busy.stream_id) from None
        shown = Sent.model_validate(sent)
        question, answer = _alone(shown.question), _alone(shown.answer)
        named = {"conversation": path.share_id, "question": question, "answer": answer}
        return respond(shown.model_copy(update=named), HTTPStatus.ACCEPTED)

    @api.post("/shares/<id:share_id>/stop", responses={202: Stopped, **described(FORBIDDEN, MISSING, OVER, TOO_MANY)})
    def stop_asked(path: SharePath) -> Response:
        """Stop the answer to a question of one's own."""
        with services.limits.looking_up(path.share_id):
            record = store.shared_conversation(path.share_id)
        asked = _question_in_flight(record)
        if asked is None or record.generating is None:
            raise NotFound("answer", path.share_id)
        me = current_owner()
        mine = asked.author is not None and asked.author.tag != "" and asked.author.tag == tag_of(record.id, me)
        if not mine and me != record.owner:
            raise Problem(FORBIDDEN, "Only who asked, or the conversation's owner, can stop this answer.")
        stopping = stop_generation(services, record.generating)
        return respond(Stopped(stream=record.generating, stopping=stopping), HTTPStatus.ACCEPTED)

    return api


def _question_in_flight(record: ConversationRecord) -> MessageRecord | None:
    """What the answer that is being written answers."""
    answer = next((each for each in record.messages if each.stream_id == record.generating), None)
    return next((each for each in record.messages if answer and each.id == answer.parent_id), None)


def _read(services: Services, share_id: str) -> tuple[str, SharedConversation]:
    """The conversation's id, and what its visitors see."""
    record = services.settler.settled(lambda: services.store.shared_conversation(share_id))
    return record.id, _shown(services.store.shared(share_id), record)


def _shown(share: ShareRecord, record: ConversationRecord) -> SharedConversation:
    """Only what is shared: no owner, no other version, no id of the conversation. Who `me` is depends on who reads."""
    messages = [_alone(Message.model_validate(each)) for each in record.messages]
    return SharedConversation(
        id=share.id,
        title=record.title,
        version=record.version,
        generating=record.generating,
        created_at=record.created_at,
        updated_at=record.updated_at,
        system_prompt=record.system_prompt if share.terms.shows_prompt else None,
        messages=messages,
        remarks=record.remarks,
        me="",
        may_ask=share.terms.may_ask,
        discussion=share.terms.discussion,
        expires_at=share.terms.expires_at,
    )


def _alone(message: Message) -> Message:
    """Without its other versions, which are not shared."""
    return message.model_copy(update={"versions": [message.id]})
