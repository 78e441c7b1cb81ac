"""The description of the API, held against the application itself."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from openapi_spec_validator import validate

UNDESCRIBED = {
    "page",
    "shared_page",
    "operations_page",
    "rq_dashboard",
    "admin",
    "account_pages",
    "plain_look",
    "openapi",
    "swagger",
}  # for people
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def description(ada: FlaskClient) -> dict[str, Any]:
    response = ada.get("/api/openapi/openapi.json")
    assert response.status_code == 200
    return dict(response.get_json())


def test_the_description_is_valid(description: dict[str, Any]) -> None:
    validate(description)


def test_every_route_is_described_and_nothing_else(app: OpenAPI, description: dict[str, Any]) -> None:
    routes = {
        (rule.rule.replace("<id:", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] not in UNDESCRIBED
        and rule.rule != "/api/socket"  # OpenAPI has no words for WebSockets
        and not rule.build_only
        for method in METHODS & (rule.methods or set())
    }
    described = {(path, method) for path, operations in description["paths"].items() for method in operations}
    assert len(described) > 10
    assert described == routes


def test_every_operation_says_what_it_does_and_what_can_go_wrong(description: dict[str, Any]) -> None:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            for status, response in operation["responses"].items():
                if status >= "400":  # and "default"
                    assert set(response["content"]) == {"application/problem+json"}, (method, path, status)


def test_a_send_is_described_with_its_key_its_body_and_its_conflict(description: dict[str, Any]) -> None:
    operation = description["paths"]["/api/conversations/{conversation_id}/messages"]["post"]
    assert {each["name"] for each in operation["parameters"]} == {"conversation_id", "Idempotency-Key"}
    assert operation["requestBody"]["required"] is True
    assert {"202", "400", "404", "409", "422", "503"} <= set(operation["responses"])


def test_what_can_be_had_in_two_types_is_described_in_both(description: dict[str, Any]) -> None:
    for path, other in {
        "/api/streams/{stream_id}": "text/event-stream",
        "/api/conversations/{conversation_id}/export": "text/markdown",
    }.items():
        assert set(description["paths"][path]["get"]["responses"]["200"]["content"]) == {"application/json", other}
    assert "204" in description["paths"]["/api/streams/{stream_id}"]["get"]["responses"]
    assert "409" in description["paths"]["/api/streams/{stream_id}/digest"]["get"]["responses"]


def test_there_is_a_page_to_try_it_which_loads_nothing_from_elsewhere(ada: FlaskClient) -> None:
    response = ada.get("/api/openapi/swagger")
    assert response.status_code == 200
    assert "https://" not in response.text
    script = ada.get("/api/openapi/swagger/js/swagger-ui-bundle.js")
    assert script.status_code == 200
    script.close()
