"""The application factory: what is mounted, in one place."""

from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from telemetry.version import NUMBER
from webapp.accounts import account_views, init_accounts, open_provider, sign_in_first
from webapp.admin import init_admin
from webapp.conversations import conversation_views
from webapp.dashboard import init_dashboard
from webapp.defence.headers import init_headers
from webapp.defence.keys import plain
from webapp.defence.sites import init_sites
from webapp.exports import export_views
from webapp.following import follow
from webapp.following.sockets import OutletMiddleware
from webapp.generations import generation_views
from webapp.identity import COOKIE, init_identity
from webapp.metrics import init_metrics
from webapp.models import model_views
from webapp.observing.correlation import init_correlation
from webapp.observing.health import health_views
from webapp.observing.scrape import scrape_views
from webapp.observing.tracing import init_tracing
from webapp.observing.vitals import vital_views
from webapp.operations.page import init_operations
from webapp.operations.views import operation_views
from webapp.page import init_page
from webapp.plain import init_plain
from webapp.problems import ProblemBody, described, init_problems
from webapp.remarks import remark_views
from webapp.services import Services
from webapp.settings import Settings
from webapp.shares import share_views
from webapp.validation import init_bodies, invalid_request, require_json_object

INFO = Info(
    title="Rejoinder",
    version=NUMBER,
    description="A web chat in which an AI answer, once begun, is never lost. "
    "Whoever opens the page gets a cookie, and that cookie owns what it creates. "
    "The WebSocket `/api/socket` is described in webapp/PROTOCOL.md.",
)


class Id(BaseConverter):
    """The id of anything of ours. What does not look like one is nowhere, and asks no database."""

    regex = r"[A-Za-z0-9_-]{1,64}"


def create_app(settings: Settings, services: Services) -> OpenAPI:
    """The web application. It starts nothing: `services.start` does."""
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_prefix="/api/openapi",
        security_schemes={
            "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            "admin": {"type": "http", "scheme": "basic"},
            "scraper": {"type": "http", "scheme": "bearer"},
        },
        responses=described(),
        validation_error_status="default",  # only its description; each operation says itself where it answers 400
        validation_error_model=ProblemBody,
        validation_error_callback=invalid_request,
        static_folder=None,
    )
    app.url_map.converters["id"] = Id
    app.extensions["services"] = services

    init_correlation(app)
    init_metrics(app)
    init_tracing(app)
    init_identity(app, settings.secret_key.get_secret_value(), plain(settings.secret_key_fallbacks))
    init_problems(app)
    init_headers(app)
    init_sites(app)
    init_bodies(app)
    app.before_request(require_json_object)

    init_plain(app)
    provider = open_provider(app, settings.oidc)
    init_accounts(app, services, provider)
    admin = init_admin(app, settings, services.redis)
    app.register_api(conversation_views(services))
    app.register_api(generation_views(services))
    app.register_api(account_views(services, provider))
    app.register_api(model_views(services))
    app.register_api(export_views(services))
    app.register_api(share_views(services))
    app.register_api(remark_views(services))
    app.register_api(health_views(services))
    init_dashboard(app, services.redis, admin)
    init_operations(app, settings.page_folder, admin)
    app.register_api(vital_views(services, admin))
    app.register_api(operation_views(services, admin))
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    app.register_api(scrape_views(token, admin))
    follow.register(app, services)

    for_sockets = app.wsgi_app
    init_page(app, settings.page_folder, services.store, services.limits, sign_in_first(services, provider))
    # Only the scheme, for the cookie's Secure: whoever lies about it harms nobody else.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    app.wsgi_app = OutletMiddleware(app.wsgi_app, for_sockets)  # type: ignore[method-assign]
    return app
