"""What the server makes itself looks as the page does, and is what a person reads who meets a problem."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from tests.support.web_process import PROJECT
from webapp.plain import LOOK, NOWHERE

TOKENS = PROJECT / "frontend" / "src" / "styles" / "tokens.css"


def colours(css: str) -> list[tuple[str, str]]:
    return re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css)


def test_their_colours_are_those_of_the_page() -> None:
    own, tokens = colours(LOOK.read_text()), colours(TOKENS.read_text())
    named = [(name, value) for name, value in own if name != "on-pine"]
    assert len(named) > 10
    assert set(named) <= set(tokens)


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_whoever_opens_an_address_that_is_nowhere_is_told_so_on_a_page_that_leads_on(ada: FlaskClient) -> None:
    page = ada.get("/nowhere", headers=BROWSER)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is nothing here" in page.text
    assert NOWHERE in page.text
    assert '<a href="/">To the conversations</a>' in page.text
    assert "Try again" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "X-Request-ID" in page.headers


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/nowhere", {}), ("/nowhere", {"Accept": "application/json"}), ("/api/nowhere", BROWSER)],
)
def test_programs_and_whoever_opens_the_api_get_json(ada: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = ada.get(path, headers=headers)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.fixture
def unbuilt(open_app: Callable[..., OpenAPI], tmp_path: Path) -> FlaskClient:
    return open_app(page_folder=tmp_path).test_client()


def test_what_may_be_well_later_offers_to_try_again_there(unbuilt: FlaskClient) -> None:
    page = unbuilt.get("/c/abc?x=<y>", headers=BROWSER)
    assert page.status_code == 503
    assert "Not at the moment" in page.text
    assert "make page" in page.text
    assert '<a class="primary" href="/c/abc?x=&lt;y&gt;">Try again</a>' in page.text
    assert "<y>" not in page.text
