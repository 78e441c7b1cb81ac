"""Nobody gets at what is another's: every route that there is, walked by somebody else, and by somebody unknown."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from tests.webapp.people import read, send, share

Operation = tuple[str, str]

# Of what these have in their addresses nothing is anybody's, or it is the administrator's (tests/webapp/admin); or
# whoever has the link is meant.
BY_LINK = "/api/shares/"
HAS_NO_OWNER = re.compile(r"^/(healthz|readyz|vitals|metrics|api/(models|me|conversations|account.*|admin.*))$")
OWNERS_ALONE = {("delete", "/api/shares/{share_id}")}  # a link lets one in; ending it is its maker's
BODIES: dict[str, dict[str, Any]] = {
    "messages": {"content": "Mine now?"},
    "edit": {"content": "Mine now?"},
    "remarks": {"content": "Mine now?", "name": "Eve"},
    "shares": {"may_ask": True},
    "{conversation_id}": {"title": "Mine now"},
}


@pytest.fixture
def hers(ada: FlaskClient, conversation: str) -> dict[str, str]:
    """The ids of all that is Ada's, by the names that they have in addresses."""
    sent = send(ada, conversation)
    said = ada.post(f"/api/conversations/{conversation}/remarks", json={"content": "Hm.", "name": "Ada"})
    return {
        "conversation_id": conversation,
        "message_id": sent["answer"]["id"],
        "stream_id": sent["stream"],
        "share_id": share(ada, conversation),
        "remark_id": said.get_json()["id"],
    }


def operations(app: OpenAPI) -> Iterator[Operation]:
    """All that the API describes (test_openapi.py: that is all there is)."""
    description = app.test_client().get("/api/openapi/openapi.json").get_json()
    for path, methods in description["paths"].items():
        for method in methods:
            yield method, path


def owned(app: OpenAPI) -> list[Operation]:
    """Those that lead to something of one owner's."""
    return [
        (method, path)
        for method, path in operations(app)
        if not HAS_NO_OWNER.match(path) and (not path.startswith(BY_LINK) or (method, path) in OWNERS_ALONE)
    ]


def attempt(person: FlaskClient, operation: Operation, ids: dict[str, str], **options: Any) -> int:
    method, path = operation
    body = BODIES.get(path.rpartition("/")[2], {}) if method in {"post", "patch"} else None
    return person.open(path.format(**ids), method=method.upper(), json=body, **options).status_code


def test_what_is_foreign_is_not_there_whatever_one_tries(
    app: OpenAPI, ada: FlaskClient, eve: FlaskClient, hers: dict[str, str]
) -> None:
    tried = owned(app)
    assert len(tried) >= 18
    before = read(ada, hers["conversation_id"])
    for somebody in (eve, app.test_client()):
        for operation in tried:
            assert attempt(somebody, operation, hers) == 404, operation
    sse = {"Accept": "text/event-stream"}
    assert attempt(eve, ("get", "/api/streams/{stream_id}"), hers, headers=sse) == 404
    assert read(ada, hers["conversation_id"]) == before


def test_the_same_attempts_are_none_for_the_owner(app: OpenAPI, ada: FlaskClient, hers: dict[str, str]) -> None:
    """What is asked above is right in all but who asks: so the 404 is for that."""
    last = [*OWNERS_ALONE, ("delete", "/api/conversations/{conversation_id}")]
    refused = {400, 409}  # a question cannot be regenerated, nor can anything be asked while an answer is being written
    for operation in sorted(owned(app), key=lambda each: last.index(each) if each in last else -1):
        status = attempt(ada, operation, hers)
        assert status < 300 or status in refused, (operation, status)


def test_a_link_opens_one_conversation_and_nothing_else(
    ada: FlaskClient, eve: FlaskClient, hers: dict[str, str]
) -> None:
    other = ada.post("/api/conversations").get_json()["id"]
    stream = send(ada, other)["stream"]
    by_link = {"share": hers["share_id"]}
    assert eve.get(f"/api/streams/{hers['stream_id']}", query_string=by_link).status_code == 200
    for path in (f"/api/streams/{stream}", f"/api/streams/{stream}/digest"):
        assert eve.get(path, query_string=by_link).status_code == 404
    said = ada.post(f"/api/conversations/{other}/remarks", json={"content": "Hm.", "name": "Ada"}).get_json()["id"]
    assert eve.delete(f"/api/shares/{hers['share_id']}/remarks/{said}").status_code == 404
    assert eve.delete(f"/api/shares/{hers['share_id']}/remarks/{hers['remark_id']}").status_code == 404


def test_every_name_in_an_address_is_known_here(app: OpenAPI, hers: dict[str, str]) -> None:
    """A new kind of thing needs an owner, and its id above."""
    assert {name for _, path in operations(app) for name in re.findall(r"{(\w+)}", path)} <= hers.keys()
