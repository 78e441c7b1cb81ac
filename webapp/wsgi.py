"""What gunicorn loads, once per worker process, after the fork and after gevent's monkey patching."""

import os
import sys
from collections.abc import Callable
from typing import Any

import gevent

from conversations import ConversationSettings
from streams import StreamSettings
from webapp.app import create_app
from webapp.logs import init_logs
from webapp.services import Services, open_services
from webapp.settings import SettingsError, load_settings


def run_on_native_thread(transaction: Callable[[], Any]) -> Any:
    """SQLite blocks the thread that waits for a lock; here that is never the event loop's."""
    return gevent.get_hub().threadpool.apply(transaction)


def _start() -> tuple[Any, Services]:
    try:
        settings = load_settings()
        database, streams = ConversationSettings.from_env(os.environ), StreamSettings.from_env(os.environ)
    except (SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(4)  # gunicorn's code for "the application could not be loaded": its master then gives up too
    init_logs(settings.log_level)
    services = open_services(settings, database, streams, run=run_on_native_thread)
    app = create_app(settings, services)
    services.start()
    return app, services


app, _ = _start()
