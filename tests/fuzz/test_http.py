"""Requests of any shape, made from the API's own description, to things of one's own, of others, and to nothing.

Schemathesis makes them: those that the description allows, and those that it forbids in one place. Every answer must be
one that the description knows, in its shape; whatever is forbidden is refused, and what is wrong is named.
"""

import json
from typing import Any

import pytest
import schemathesis
from flask_openapi3.openapi import OpenAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.webapp.people import Json, cookie_of, read, send, share

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = max(10, settings().max_examples // 20)  # of each operation, either way
FORBIDDEN = [*CHECKS, negative_data_rejection]
OPERATIONS = [
    ("GET", "/api/account"),
    ("POST", "/api/account/sign-out"),
    ("GET", "/api/admin/history"),
    ("GET", "/api/admin/operations"),
    ("GET", "/api/admin/streams/{stream_id}"),
    ("GET", "/api/admin/streams/{stream_id}/text"),
    ("POST", "/api/admin/streams/{stream_id}/stop"),
    ("GET", "/api/conversations"),
    ("POST", "/api/conversations"),
    ("GET", "/api/conversations/{conversation_id}"),
    ("PATCH", "/api/conversations/{conversation_id}"),
    ("DELETE", "/api/conversations/{conversation_id}"),
    ("GET", "/api/conversations/{conversation_id}/export"),
    ("POST", "/api/conversations/{conversation_id}/messages"),
    ("GET", "/api/conversations/{conversation_id}/remarks"),
    ("POST", "/api/conversations/{conversation_id}/remarks"),
    ("DELETE", "/api/conversations/{conversation_id}/remarks/{remark_id}"),
    ("POST", "/api/conversations/{conversation_id}/restore"),
    ("POST", "/api/conversations/{conversation_id}/shares"),
    ("DELETE", "/api/me"),
    ("POST", "/api/messages/{message_id}/continue"),
    ("POST", "/api/messages/{message_id}/edit"),
    ("POST", "/api/messages/{message_id}/regenerate"),
    ("POST", "/api/messages/{message_id}/select"),
    ("GET", "/api/models"),
    ("DELETE", "/api/shares/{share_id}"),
    ("GET", "/api/shares/{share_id}"),
    ("POST", "/api/shares/{share_id}/messages"),
    ("GET", "/api/shares/{share_id}/remarks"),
    ("POST", "/api/shares/{share_id}/remarks"),
    ("DELETE", "/api/shares/{share_id}/remarks/{remark_id}"),
    ("POST", "/api/shares/{share_id}/stop"),
    ("GET", "/api/streams/{stream_id}"),
    ("GET", "/api/streams/{stream_id}/digest"),
    ("POST", "/api/streams/{stream_id}/stop"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/vitals"),
    ("GET", "/readyz"),
]


class Things:
    """What Ada has, who uses all of it; what somebody else has; and what nobody has."""

    def __init__(self, app: OpenAPI) -> None:
        self.ada = app.test_client()
        self.ids: dict[str, list[str]] = {}
        for person in (self.ada, app.test_client()):
            conversation = str(person.post("/api/conversations", json={"title": "Lace"}).get_json()["id"])
            sent = send(person, conversation)
            link, dead = share(person, conversation, may_ask=True), share(person, conversation)
            remark = person.post(f"/api/shares/{link}/remarks", json={"content": "Why indeed"}).get_json()
            person.delete(f"/api/shares/{dead}")
            messages = [message["id"] for message in read(person, conversation)["messages"]]
            for name, found in {
                "conversation_id": [conversation],
                "message_id": messages,
                "stream_id": [sent["stream"]],
                "share_id": [link, dead],
                "remark_id": [remark["id"]],
            }.items():
                self.ids.setdefault(name, []).extend(found)
        # Whoever has no cookie is a stranger, who may ask the same: no cookie is no fault of a request.
        self.cookies = dict([cookie_of(self.ada).split("=", 1)])

    def stop(self) -> None:
        """What Ada asked is answered no more: the next question is not refused for it."""
        for conversation in self.ada.get("/api/conversations").get_json()["items"]:
            if conversation["generating"]:
                self.ada.post(f"/api/streams/{conversation['generating']}/stop")


@pytest.fixture(scope="module")
def api(app: OpenAPI) -> Any:
    return schemathesis.openapi.from_wsgi("/api/openapi/openapi.json", app)


@pytest.fixture(scope="module")
def description(app: OpenAPI) -> Json:
    return dict(app.test_client().get("/api/openapi/openapi.json").get_json())


def test_all_operations_are_asked(description: Json) -> None:
    described = {(method.upper(), path) for path, operations in description["paths"].items() for method in operations}
    assert set(OPERATIONS) == described


@pytest.mark.parametrize("mode", GenerationMode, ids=["allowed", "forbidden"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_request_of_any_shape_is_answered_as_described(
    app: OpenAPI, api: Any, description: Json, method: str, path: str, mode: GenerationMode
) -> None:
    things = Things(app)
    operation = api[path][method]
    described = description["paths"][path][method.lower()]
    names = [each["name"] for each in described.get("parameters", []) if each["in"] == "path"]
    if mode is GenerationMode.NEGATIVE and not (
        described.keys() & {"requestBody"} or len(described.get("parameters", [])) > len(names)
    ):
        pytest.skip("nothing in it could be wrong but the id, of which any is allowed")

    @settings(max_examples=EXAMPLES)
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        ids = {name: data.draw(st.sampled_from([*things.ids[name], "nobodys"])) for name in names}
        case = data.draw(operation.as_strategy(mode, path_parameters=ids, cookies=things.cookies))
        things.stop()
        case.headers = {**(case.headers or {}), "Accept": "application/json"}
        response = case.call()
        case.validate_response(response, checks=FORBIDDEN if mode is GenerationMode.NEGATIVE else CHECKS)
        status = str(response.status_code)
        assert status in described["responses"] or status in {"404", "405", "413", "415"}, "the description names it"
        if response.status_code >= 400:
            problem = json.loads(response.content)
            assert problem["status"] == response.status_code
            assert problem["title"]
            assert problem["detail"]
            for error in problem.get("errors") or []:
                assert error["message"]

    ask()
