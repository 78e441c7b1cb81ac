"""Who is asking."""

from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from tests.webapp.people import read

YEAR = 365 * 24 * 3600


def given(response: object) -> str:
    return str(response.headers["Set-Cookie"])  # type: ignore[attr-defined]


def test_whoever_creates_gets_a_cookie_that_owns_it_for_a_year(ada: FlaskClient) -> None:
    response = ada.post("/api/conversations")
    [cookie] = SimpleCookie(given(response)).values()
    assert cookie.key == "rejoinder"
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", "")
    assert "Expires=" in given(response)
    assert "Set-Cookie" in ada.post("/api/conversations").headers
    assert len(ada.get("/api/conversations").get_json()["items"]) == 2


@pytest.mark.parametrize("headers", [{"X-Forwarded-Proto": "https"}])
def test_behind_https_the_cookie_travels_by_https_only(ada: FlaskClient, headers: dict[str, str]) -> None:
    assert "Secure" in given(ada.post("/api/conversations", headers=headers))


def test_a_cookie_that_was_tampered_with_owns_nothing(ada: FlaskClient, conversation: str) -> None:
    cookie = ada.get_cookie("rejoinder")
    assert cookie is not None
    read(ada, conversation)
    words, _, signature = cookie.value.rpartition(".")
    # Its first character: of the last one some bits mean nothing.
    forged = ("A" if signature[0] != "A" else "B") + signature[1:]
    ada.set_cookie("rejoinder", f"{words}.{forged}")
    assert ada.get(f"/api/conversations/{conversation}").status_code == 404


def test_a_cookie_of_an_earlier_key_is_good_and_is_signed_anew_with_the_page(
    open_app: Callable[..., OpenAPI], tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    earlier, new = "Zq3-fV9x_Lw0TbR7mKc2YhN8pJd5sGu1", "1uGs5dJp8NhY2cKm7RbT0wL_x9Vf-3qZ"
    before = open_app(secret_key=earlier).test_client()
    conversation = before.post("/api/conversations").get_json()["id"]
    rotated = open_app(secret_key=new, secret_key_fallbacks=earlier, page_folder=tmp_path).test_client()
    rotated.set_cookie("rejoinder", cookie_value(before))
    read(rotated, conversation)
    rotated.get("/")
    assert cookie_value(rotated) != cookie_value(before)

    later = open_app(secret_key=new).test_client()
    later.set_cookie("rejoinder", cookie_value(before))
    assert later.get(f"/api/conversations/{conversation}").status_code == 404
    later.set_cookie("rejoinder", cookie_value(rotated))
    read(later, conversation)


def cookie_value(client: FlaskClient) -> str:
    cookie = client.get_cookie("rejoinder")
    assert cookie is not None
    return cookie.value
