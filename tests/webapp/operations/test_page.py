"""The document of the operations page: whom it is served to, and under which policy."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from tests.webapp.test_dashboard import ADMIN, PASSWORD

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "none"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in ("index.html", "operations.html"):
        (tmp_path / name).write_text(f"<!doctype html><title>{name}</title>")
    return tmp_path


def test_the_administrator_gets_it_without_anything_inline_and_others_are_led_to_the_login(
    open_app: Callable[..., OpenAPI], built: Path
) -> None:
    client = open_app(admin_password=PASSWORD, page_folder=built).test_client()
    page = client.get("/admin/operations", headers=ADMIN)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "operations.html" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    led = client.get("/admin/operations", headers=BROWSER)
    assert (led.status_code, led.location) == (303, "/admin/login?next=%2Fadmin%2Foperations")


def test_there_is_no_way_around_the_login(open_app: Callable[..., OpenAPI], built: Path) -> None:
    for password in (None, PASSWORD):
        client = open_app(admin_password=password, page_folder=built).test_client()
        assert client.get("/operations.html").status_code == 404
    nobody = open_app(admin_password=None, page_folder=built).test_client()
    assert nobody.get("/admin/operations", headers=ADMIN).status_code == 404


def test_a_page_that_was_not_built_says_how(open_app: Callable[..., OpenAPI], tmp_path: Path) -> None:
    client: FlaskClient = open_app(admin_password=PASSWORD, page_folder=tmp_path).test_client()
    answer = client.get("/admin/operations", headers=ADMIN)
    assert answer.status_code == 503
    assert "make page" in answer.get_json()["detail"]


def test_the_index_leads_to_it(open_app: Callable[..., OpenAPI], built: Path) -> None:
    client = open_app(admin_password=PASSWORD, page_folder=built).test_client()
    assert 'href="/admin/operations"' in client.get("/admin", headers=ADMIN).text
