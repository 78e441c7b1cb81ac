"""An application whose people can sign in, and a provider of their identities."""

from collections.abc import Iterator

import pytest
import requests
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from werkzeug.test import TestResponse

from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, running_oidc_provider
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[OidcProvider]:
    with running_oidc_provider() as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: OidcProvider, request: pytest.FixtureRequest) -> OidcProvider:
    """Well-behaved, with somebody before it who has never been here."""
    shared_provider.misbehave()
    shared_provider.person = {"sub": request.node.name, "name": "Ada Lovelace", "email": "ada@id.test"}
    shared_provider.requests.clear()
    return shared_provider


@pytest.fixture
def with_login(settings: Settings, provider: OidcProvider) -> Settings:
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_name": "Example"}
    return settings.model_copy(update={**given, "oidc_client_secret": SecretStr(CLIENT_SECRET)})


@pytest.fixture
def site(with_login: Settings, services: Services) -> OpenAPI:
    return create_app(with_login, services)


@pytest.fixture
def visitor(site: OpenAPI) -> FlaskClient:
    """A browser in which nobody has signed in."""
    return site.test_client()


def go_to_the_provider(browser: FlaskClient, wanted: str = "/") -> str:
    """Begin to sign in; returns the address at which the provider sends the browser back."""
    begun = browser.get("/account/sign-in", query_string={"next": wanted})
    assert begun.status_code == 303, begun.text
    back = requests.get(begun.location, allow_redirects=False, timeout=60)
    assert back.status_code == 302, back.text
    return back.headers["Location"]


def sign_in(browser: FlaskClient, wanted: str = "/") -> TestResponse:
    """To the provider and back; returns what the browser is answered then."""
    return browser.get(go_to_the_provider(browser, wanted))
