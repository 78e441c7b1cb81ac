"""What gunicorn loads where the dashboard is a process of its own, which needs Redis and no database:

gunicorn --config webapp/gunicorn_conf.py webapp.dashboard_wsgi:app
"""

import os
import sys

from flask import Flask

from streams import connect
from telemetry.logs import init_logs
from telemetry.settings import LogSettings
from webapp.dashboard import create_dashboard
from webapp.settings import SettingsError, load_settings

NOBODY = (
    "The dashboard cannot start:\n  ADMIN_PASSWORD is missing; expected the password of the only one who may see it"
)


def _start() -> Flask:
    try:
        settings, logs = load_settings(), LogSettings.from_env(os.environ)
        if settings.admin_password is None:
            raise SettingsError(NOBODY)
    except (SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(4)  # gunicorn's code for "the application could not be loaded": its master then gives up too
    init_logs(logs)
    return create_dashboard(settings, connect(settings.redis_url))


app = _start()
