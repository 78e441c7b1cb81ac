"""Who may read the metrics."""

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.webapp.test_dashboard import ADMIN, PASSWORD
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings

TOKEN = "only Prometheus knows"  # noqa: S105
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def visitor(settings: Settings, services: Services, **secrets: str) -> FlaskClient:
    given = {name: SecretStr(value) for name, value in secrets.items()}
    return create_app(settings.model_copy(update=given), services).test_client()


@pytest.mark.parametrize("headers", [{}, BEARER, ADMIN])
def test_with_neither_token_nor_password_there_is_nothing(ada: FlaskClient, headers: dict[str, str]) -> None:
    assert ada.get("/metrics", headers=headers).status_code == 404


def test_the_token_lets_in_and_the_administrator_too(settings: Settings, services: Services) -> None:
    guarded = visitor(settings, services, metrics_token=TOKEN, admin_password=PASSWORD)
    assert guarded.get("/metrics").status_code == 401
    assert guarded.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
    for headers in (BEARER, ADMIN):
        response = guarded.get("/metrics", headers=headers)
        assert response.status_code == 200
        assert response.content_type.startswith("text/plain")
        assert "rejoinder_sends_total" in response.text


def test_a_token_alone_lets_nobody_else_in(settings: Settings, services: Services) -> None:
    guarded = visitor(settings, services, metrics_token=TOKEN)
    refused = guarded.get("/metrics", headers=ADMIN)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert guarded.get("/metrics", headers=BEARER).status_code == 200
