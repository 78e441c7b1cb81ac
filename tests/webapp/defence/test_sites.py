"""Requests that another site had a browser make."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

METHODS = {"POST", "PUT", "PATCH", "DELETE"}
ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another subdomain, for which SameSite does nothing
    {"Origin": "https://elsewhere.example"},
    {"Origin": "http://localhost.elsewhere.example"},
    {"Origin": "http://localhost:8080"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]
HERE: list[dict[str, str]] = [
    {},  # no browser
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://before-a-proxy.example"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_no_route_lets_another_site_change_anything(app: OpenAPI, ada: FlaskClient, headers: dict[str, str]) -> None:
    changing = [
        (method, rule.rule) for rule in app.url_map.iter_rules() for method in METHODS & (rule.methods or set())
    ]
    assert len(changing) > 10
    for method, rule in changing:
        path = rule.replace("<id:", "").replace(">", "")
        response = ada.open(path, method=method, json={}, headers=headers)
        assert response.status_code == 403, (method, rule, response.text)
        assert response.headers.get("Set-Cookie") is None


@pytest.mark.parametrize("headers", HERE, ids=str)
def test_our_own_page_and_programs_may(ada: FlaskClient, headers: dict[str, str]) -> None:
    assert ada.post("/api/conversations", headers=headers).status_code == 201


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_whoever_comes_by_a_link_on_another_site_may_read(ada: FlaskClient, headers: dict[str, Any]) -> None:
    assert ada.get("/api/conversations", headers=headers).status_code == 200
