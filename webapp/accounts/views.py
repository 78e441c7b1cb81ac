"""Signing in and out, and who one is: what a browser and the page ask."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, redirect, request, url_for
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from conversations import Changed, tag_of
from webapp.accounts.login import Declined, ProviderAway, Refused
from webapp.defence.destinations import own_path
from webapp.identity import become, current_owner, forget_former, former, leave
from webapp.plain import notice
from webapp.problems import Problem, described
from webapp.responses import respond
from webapp.schemas import Account, SignedOut, SignIn
from webapp.services import Services

if TYPE_CHECKING:
    from webapp.accounts.provider import Provider

log = logging.getLogger(__name__)

SIGN_IN = "/account/sign-in"
READING = {"GET", "HEAD", "OPTIONS"}
ADMIN = "/api/admin/"  # what is below it has a guard of its own
FREE = {"accounts.sign_out", "conversations.erase", "generations.stop", "shares.stop_asked"}  # endpoints: what ends


def init_accounts(app: Flask, services: Services, provider: "Provider | None") -> None:
    """Mount the way to the provider and back. Without a provider it is 404."""
    pages = Blueprint("account_pages", __name__)

    @pages.get(SIGN_IN)
    def sign_in() -> AnyResponse:
        if provider is None:
            raise NotFound
        wanted = own_path(request.args.get("next"))
        try:
            url = provider.begin(url_for("account_pages.callback", _external=True), wanted)
        except (ProviderAway, Refused) as error:
            return _failed(error, wanted)
        return redirect(url, HTTPStatus.SEE_OTHER)

    @pages.get("/account/callback")
    def callback() -> AnyResponse:
        if provider is None:
            raise NotFound
        try:
            login = provider.finish()
        except (ProviderAway, Refused) as error:
            return _failed(error, "/")
        browser = current_owner()
        signed_in = services.store.sign_in(login.profile, browser=browser)
        become(signed_in.account.owner, was=browser)
        _announce(services, signed_in.changed, browser)
        return redirect(login.destination, HTTPStatus.SEE_OTHER)

    app.register_blueprint(pages)
    if provider is not None and provider.required:
        app.before_request(lambda: _require_account(services))


def sign_in_first(services: Services, provider: "Provider | None") -> Callable[[], SignIn | None]:
    """Asks where whoever sends this request must sign in before they may write; None: they may. Raises
    SQLAlchemyError."""

    def ask() -> SignIn | None:
        if provider is None or not provider.required:
            return None
        owner = current_owner()
        return None if owner and services.store.account(owner) else _offered(provider)

    return ask


def _offered(provider: "Provider") -> SignIn:
    return SignIn(name=provider.name, at=SIGN_IN, required=provider.required)


def account_views(services: Services, provider: "Provider | None") -> APIBlueprint:
    """The routes of this feature."""
    api = APIBlueprint(
        "accounts",
        __name__,
        url_prefix="/api",
        abp_tags=[Tag(name="accounts")],
        abp_security=[{"cookie": []}],
        abp_responses=described(),
    )

    @api.get("/account", responses={200: Account})
    def read() -> Response:
        """Who you are, and how you can sign in."""
        owner = current_owner()
        account = services.store.account(owner) if provider else None
        if account and (was := former()):
            _announce(services, services.store.take_along(was, owner), was)
            forget_former()  # only now: what the database could not do is to be done by the next request
        offered = provider and _offered(provider)
        return respond(Account.model_validate({"me": tag_of("", owner), "account": account, "sign_in": offered}))

    @api.post("/account/sign-out", responses={200: SignedOut, **described(HTTPStatus.NOT_FOUND)})
    def sign_out() -> Response:
        """Leave your account. This browser is nobody's then; `location` is where to send it."""
        if services.store.account(current_owner()) is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Nobody is signed in here.")
        leave()
        return respond(SignedOut(location=(provider and provider.farewell(request.host_url)) or "/"))

    return api


def _announce(services: Services, moved: list[Changed], browser: str) -> None:
    for changed in moved:
        services.announce(changed.conversation_id, changed.version, changed.owner)
    for changed in moved[:1]:  # the browser's other tabs listen for what is no longer its own
        services.announce(changed.conversation_id, changed.version, browser)


def _require_account(services: Services) -> None:
    """Whoever has no account changes nothing. Watching a shared conversation is reading."""
    writes = request.method not in READING and request.path.startswith("/api/") and not request.path.startswith(ADMIN)
    if writes and request.endpoint not in FREE and services.store.account(current_owner()) is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "Sign in first: here only people with an account write.")


def _failed(error: Exception, wanted: str) -> Response:
    again = f"{SIGN_IN}?{urlencode({'next': wanted})}"
    if isinstance(error, Declined):
        log.info("a login was declined: %s", error)
        detail = "The login service did not sign you in. Nothing has changed here."
        return notice(HTTPStatus.FORBIDDEN, "You are not signed in", detail, again=again)
    if isinstance(error, ProviderAway):
        log.warning("the provider of identities does not answer: %s", error)
        detail = "The login service does not answer at the moment. Try again in a few seconds."
        return notice(HTTPStatus.SERVICE_UNAVAILABLE, "You are not signed in", detail, again=again)
    log.warning("a login was refused: %s", error)
    detail = "What the login service answered does not belong to a login of this browser, or is too old."
    return notice(HTTPStatus.BAD_REQUEST, "You are not signed in", detail, again=again)
