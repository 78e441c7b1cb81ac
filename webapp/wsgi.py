"""What gunicorn loads, once per worker process, after the fork and after gevent's monkey patching."""

import os
import sys

import gevent
from flask_openapi3 import OpenAPI
from redis import RedisError

from conversations import ConversationSettings
from conversations.greenlets import open_greenlet_store
from streams import StreamSettings
from streams.greenlets import poll_at_once
from telemetry.errors import ErrorSettings, init_errors
from telemetry.logs import init_logs
from telemetry.settings import LogSettings, TraceSettings
from telemetry.traces import TracesMissing, init_traces
from webapp import metrics
from webapp.app import create_app
from webapp.following.sockets import beat_forever
from webapp.services import open_services
from webapp.settings import SettingsError, load_settings

UPDATE_EVERY = 1.0  # seconds


def _start() -> OpenAPI:
    try:
        settings = load_settings()
        logs, errors = LogSettings.from_env(os.environ), ErrorSettings.from_env(os.environ)
        init_traces(TraceSettings.from_env(os.environ), "web")
        database, streams = ConversationSettings.from_env(os.environ), StreamSettings.from_env(os.environ)
    except (SettingsError, TracesMissing, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(4)  # gunicorn's code for "the application could not be loaded": its master then gives up too
    init_logs(logs)
    init_errors(errors, "web")
    poll_at_once()
    try:
        services = open_services(settings, open_greenlet_store(database), streams)
    except RedisError as error:
        print(f"The web process cannot start:\n  STREAMS_REDIS_URL: {error}", file=sys.stderr)
        sys.exit(4)
    app = create_app(settings, services)
    metrics.watch(services.hub, services.subscriber, services.reaper, services.restarts)
    services.start()
    gevent.spawn(_update_forever)
    gevent.spawn(beat_forever, settings.heartbeat_interval)
    return app


def _update_forever() -> None:
    """Another process of this gunicorn may be the one that is asked."""
    while True:
        metrics.EXPOSITION.update()
        gevent.sleep(UPDATE_EVERY)


app = _start()
