"""The application of tests/webapp, with what its tests use."""

from tests.webapp.conftest import (  # noqa: F401  pytest finds fixtures by their names
    ada,
    app,
    conversation,
    database_url,
    eve,
    services,
    settings,
    shared_redis,
    stream,
    web,
)
