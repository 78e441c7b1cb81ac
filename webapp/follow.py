"""The routes that follow streams: the WebSocket, server-sent events, and the plain reading of what is stored."""

from http import HTTPStatus
from typing import Any

import gevent
from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import Server

from streams import Position, Recording, StreamNotFound
from webapp import frames, sockets
from webapp.event_stream import EventStream
from webapp.identity import current_owner
from webapp.news import News
from webapp.page_socket import PageSocket
from webapp.problems import Problem
from webapp.services import Services

PING_INTERVAL = 25.0  # seconds; Heroku's router cuts a socket that was silent for 55, so two pings fit


def register(app: Flask, services: Services) -> None:
    """Add the routes. Runs what gives signs of life, so it must be called in the process that serves."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_INTERVAL,
        "max_message_size": frames.MAX_CLIENT_FRAME,
        "thread_class": sockets.ReadingThread,
    }
    news = News(services.store, services.subscriber, gevent.spawn)
    sock = Sock(app)

    @sock.route("/api/socket")  # type: ignore[untyped-decorator]  # flask-sock has no types
    def socket(ws: Server) -> None:
        PageSocket(ws, current_owner(), services, news).serve()

    @app.get("/api/streams/<id:stream_id>")
    def stream(stream_id: str) -> Response | dict[str, Any]:
        _check_owner(services, stream_id)
        position = _position(request.headers.get("Last-Event-ID") or request.args.get("position"))
        if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
            return _event_stream(services, stream_id, position)
        return _recording(services, stream_id, position)

    app.wsgi_app = sockets.OutletMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    gevent.spawn(sockets.beat_forever, services.settings.heartbeat_interval)


def _event_stream(services: Services, stream_id: str, position: Position | None) -> Response:
    expected = services.store.in_flight(stream_id) is not None
    if not expected:
        recording = _read(services, stream_id, position)
        if position and recording.state == "ended" and recording.stop == recording.start:
            return Response(status=HTTPStatus.NO_CONTENT)  # it has all of it: an EventSource stops coming back
    events = EventStream().events(services.hub, stream_id, position, expected)
    response = Response(events, mimetype="text/event-stream")
    # Without these, proxies collect the events and deliver them in lumps.
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _recording(services: Services, stream_id: str, position: Position | None) -> dict[str, Any]:
    recording = _read(services, stream_id, position)
    end = recording.end and {
        "outcome": recording.end.outcome,
        "reason": recording.end.reason,
        "usage": recording.end.usage,
    }
    return {
        "stream": recording.stream_id,
        "epoch": recording.epoch,
        "start": recording.start,
        "stop": recording.stop,
        "state": recording.state,
        "text": recording.text,
        "reasoning": recording.reasoning,
        "end": end,
    }


def _read(services: Services, stream_id: str, position: Position | None) -> Recording:
    try:
        return services.control.read(stream_id, position)
    except StreamNotFound:
        raise Problem(HTTPStatus.GONE, frames.EXPIRED["detail"]) from None


def _check_owner(services: Services, stream_id: str) -> None:
    """The same answer for what is foreign and what does not exist."""
    owner = current_owner()
    if not owner or services.store.stream_owner(stream_id) != owner:
        raise Problem(HTTPStatus.NOT_FOUND, frames.UNKNOWN["detail"])


def _position(text: str | None) -> Position | None:
    if not text:
        return None
    try:
        return Position.parse(text)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None
