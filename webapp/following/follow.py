"""The routes that follow streams: the WebSocket, server-sent events, and the plain reading of what is stored."""

import base64
import hashlib
from http import HTTPStatus

from flask import Response, request
from flask_openapi3 import OpenAPI
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_sock import Sock
from simple_websocket import Server
from wsproto.utilities import RemoteProtocolError

from conversations import ShareRecord, StreamRecord
from streams import Position, StreamNotFound
from webapp.access import access_for
from webapp.defence.limits import Act
from webapp.defence.sites import host_of
from webapp.following import frames, sockets
from webapp.following.event_stream import EventStream
from webapp.following.page_socket import PageSocket
from webapp.identity import current_owner
from webapp.problems import RETRY_AFTER, Problem, described
from webapp.responses import respond
from webapp.schemas import Digest, StreamPath, StreamQuery, StreamRecording
from webapp.services import Services

SOCKET = "/api/socket"
NO_HANDSHAKE = "This is no WebSocket handshake of version 13 with a key of 16 bytes."


def register(app: OpenAPI, services: Services) -> None:
    """Add the routes."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "max_message_size": frames.MAX_CLIENT_FRAME,
        "thread_class": sockets.NotNeeded,
        "event_class": sockets.NotNeeded,
    }
    sock = Sock(app)
    app.before_request(_admit)
    app.register_error_handler(RemoteProtocolError, _no_handshake)  # wsproto's, of other headers

    @sock.route(SOCKET)  # type: ignore[untyped-decorator]  # flask-sock has no types
    def socket(ws: Server) -> None:
        page = PageSocket(ws, access_for(services.door, current_owner(), request.args.get("share")), services)
        try:
            services.limits.count(Act.FOLLOW)
            leave = services.limits.connect()
        except Problem as refused:
            page.turn_away(refused.detail)
            return
        try:
            page.serve()
        finally:
            leave()

    app.register_api(_stream_views(services))


def _admit() -> None:
    """A socket is opened by a WebSocket handshake, from our own page: a browser lets any site open one anywhere."""
    if request.path != SOCKET:
        return
    if request.headers.get("Upgrade", "").lower() != "websocket":
        detail = "This address is a WebSocket; webapp/PROTOCOL.md describes its frames."
        raise Problem(HTTPStatus.UPGRADE_REQUIRED, detail, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    key, host = request.headers.get("Sec-WebSocket-Key", ""), request.headers.get("Host", "")
    readable = _is_host(host) and request.headers.get("Connection", "").isascii()
    if request.headers.get("Sec-WebSocket-Version") != "13" or not _is_key(key) or not readable:
        raise Problem(HTTPStatus.BAD_REQUEST, NO_HANDSHAKE)
    origin = request.headers.get("Origin")  # absent where the client is no browser
    if origin is not None and host_of(origin) != request.host:
        raise Problem(HTTPStatus.FORBIDDEN, "A page of another site may not open a socket here.")


def _stream_views(services: Services) -> APIBlueprint:
    api = APIBlueprint(
        "streams",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="streams")],
        abp_security=[{"cookie": []}],
        abp_responses=described(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.GONE,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )

    @api.get("/streams/<id:stream_id>", responses={200: StreamRecording, 204: None})
    def read_stream(path: StreamPath, query: StreamQuery) -> Response:
        """Read what is stored of a stream, or follow it as server-sent events (`Accept: text/event-stream`).

        Both resume from `position`; so does the header `Last-Event-ID`, which an EventSource sends by itself.
        """
        services.limits.count(Act.FOLLOW)
        access = access_for(services.door, current_owner(), query.share)
        with services.limits.looking_up(query.share):
            stream = access.stream(path.stream_id)
        position = _position(request.headers.get("Last-Event-ID") or query.position)
        if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
            return _event_stream(services, stream, position, access.share())
        try:
            recording = services.control.read(stream.id, position)
        except StreamNotFound:
            raise (_missing() if stream.in_flight else _expired()) from None
        return respond(StreamRecording.model_validate(recording))

    @api.get("/streams/<id:stream_id>/digest", responses={200: Digest, **described(HTTPStatus.CONFLICT)})
    def digest(path: StreamPath, query: StreamQuery) -> Response:
        """Prove a text: the digest of a stream's text up to `position`, or of all of it."""
        services.limits.count(Act.FOLLOW)
        access = access_for(services.door, current_owner(), query.share)
        with services.limits.looking_up(query.share):
            stream = access.stream(path.stream_id)
        position = _position(query.position)
        try:
            recording = services.control.read(stream.id, stop=position.index if position else None)
        except StreamNotFound:
            if stream.in_flight:
                raise _missing() from None
            return respond(
                Digest(stream=stream.id, epoch=None, index=None, sha256=_sha256(services.store.saved_text(stream.id)))
            )
        if position and position.epoch != recording.epoch:
            detail = (
                f"This stream's epoch is {recording.epoch}: what was read of {position.epoch} is no longer its text."
            )
            raise Problem(HTTPStatus.CONFLICT, detail)
        sha256 = _sha256(recording.text)
        return respond(Digest(stream=stream.id, epoch=recording.epoch, index=recording.stop, sha256=sha256))

    return api


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _event_stream(
    services: Services, stream: StreamRecord, position: Position | None, share: ShareRecord | None
) -> Response:
    [progress] = services.control.progress([stream.id])
    if progress is None and not stream.in_flight:
        raise _expired()
    if progress and progress.state == "ended" and position == Position(progress.epoch or "", progress.length):
        return Response(status=HTTPStatus.NO_CONTENT)  # it has all of it: an EventSource stops coming back
    leave = services.limits.connect()
    events = EventStream(services, share).events(stream.id, position, stream.in_flight)
    response = Response(events, mimetype="text/event-stream")
    response.call_on_close(leave)
    # Without these, proxies collect the events and deliver them in lumps.
    response.headers["Cache-Control"] = "no-store, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _expired() -> Problem:
    return Problem(HTTPStatus.GONE, frames.EXPIRED["detail"])


def _missing() -> Problem:
    """Its writer is about to mend it; or it was lost, and will soon be settled."""
    headers = {"Retry-After": str(RETRY_AFTER)}
    detail = "The stream is not to be had at the moment. Try again in a few seconds."
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    """Whether wsproto will be able to read it."""
    try:
        return bool(text.encode().decode("idna"))
    except UnicodeError:
        return False


def _no_handshake(_: RemoteProtocolError) -> Response:
    return Problem(HTTPStatus.BAD_REQUEST, NO_HANDSHAKE).response()


def _position(text: str | None) -> Position | None:
    if not text:
        return None
    try:
        return Position.parse(text)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None
