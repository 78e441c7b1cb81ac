"""Who is asking."""

from http.cookies import SimpleCookie

import pytest
from flask.testing import FlaskClient

from tests.webapp.people import read
from tests.webapp.test_page import built  # noqa: F401 (a fixture)

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
