"""The built page, and what a browser is told about it."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings

SCRIPT = "/assets/index-BxK3c9Qz.js"


@pytest.fixture
def built(tmp_path: Path, settings: Settings, services: Services) -> OpenAPI:
    """An application whose page has been built."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f'<!doctype html><script type="module" src="{SCRIPT}"></script>')
    (folder / SCRIPT[1:]).write_text("console.log('hello')")
    (folder / "icon.svg").write_text("<svg/>")
    return create_app(settings.model_copy(update={"page_folder": folder}), services)


@pytest.mark.parametrize("path", ["/", "/c/0f3a"])
def test_every_address_of_the_page_is_the_same_document(built: OpenAPI, path: str) -> None:
    response = built.test_client().get(path)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert SCRIPT in response.text
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_the_page_may_load_only_its_own_files(built: OpenAPI) -> None:
    headers = built.test_client().get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_opening_the_page_gives_an_identity_before_anything_is_asked(built: OpenAPI) -> None:
    visitor = built.test_client()
    assert "rejoinder=" in visitor.get("/").headers["Set-Cookie"]
    created = visitor.post("/api/conversations").get_json()["id"]
    visitor.get("/")  # keeps it
    assert visitor.get(f"/api/conversations/{created}").status_code == 200


def test_a_page_that_has_not_changed_is_not_sent_again(built: OpenAPI) -> None:
    visitor = built.test_client()
    tag = visitor.get("/").headers["ETag"]
    again = visitor.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_hashed_files_are_kept_for_ever_and_others_are_not(built: OpenAPI) -> None:
    visitor = built.test_client()
    script, icon = visitor.get(SCRIPT), visitor.get("/icon.svg")
    assert (script.mimetype, "immutable" in script.headers["Cache-Control"]) == ("text/javascript", True)
    assert (icon.status_code, "immutable" in icon.headers["Cache-Control"]) == (200, False)
    assert script.headers["X-Content-Type-Options"] == "nosniff"
    script.close()
    icon.close()


@pytest.mark.parametrize(
    "path", ["/index.html", "/assets/gone-BxK3c9Qz.js", "/assets/../index.html", "/assets/%2e%2e/x"]
)
def test_what_is_no_file_of_the_page_is_404(built: OpenAPI, path: str) -> None:
    assert built.test_client().get(path).status_code == 404


def test_a_page_that_was_not_built_says_how_to_build_it(ada: FlaskClient) -> None:
    response = ada.get("/")
    assert response.status_code == 503
    assert "make page" in response.get_json()["detail"]


def test_data_is_not_kept_by_anyone_on_the_way(ada: FlaskClient) -> None:
    response = ada.get("/api/conversations")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
