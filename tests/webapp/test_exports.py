"""A conversation can be taken along, whole and readable."""

import json
from collections.abc import Callable

from flask.testing import FlaskClient

from streams import End, Outcome, StreamWriter
from tests.support.writing import write
from tests.webapp.people import read, send, share
from webapp.services import Services


def answered(
    client: FlaskClient, conversation: str, question: str, answer: str, begin: Callable[[str], StreamWriter], end: End
) -> None:
    stream = send(client, conversation, question)["stream"]
    writer = begin(stream)
    write(writer, answer)
    writer.end(end)
    assert writer.wait_flushed(60)
    client.get(f"/api/conversations/{conversation}")  # settles it


def test_markdown_reads_as_the_conversation_does(
    ada: FlaskClient, eve: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]
) -> None:
    body = {"title": 'On "lace"/silk…', "system_prompt": "Be brief.\nBe kind."}
    ada.patch(f"/api/conversations/{conversation}", json=body)
    answered(ada, conversation, "What is lace?", "**Holes**, tied together.", begin, End(Outcome.FINISHED))
    link = share(ada, conversation, may_ask=True)
    asked = eve.post(f"/api/shares/{link}/messages", json={"content": "And silk?", "name": "Eve"}).get_json()
    writer = begin(asked["stream"])
    write(writer, "A thread")
    writer.end(End(Outcome.INTERRUPTED, "The server was restarted."))
    assert writer.wait_flushed(60)

    response = ada.get(f"/api/conversations/{conversation}/export?format=markdown")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="On lacesilk.md"'
    lines = [line for line in response.text.splitlines() if line]
    assert lines[0] == '# On "lace"/silk…'
    assert lines[1:3] == ["> **Instructions:** Be brief.", "> Be kind."]
    mark = read(ada, conversation)["messages"][2]["author"]["tag"][:6]
    assert [line.partition(",")[0] for line in lines if line.startswith("## ")] == [
        "## Question",
        "## Answer (a-model)",
        f"## Question of Eve ({mark})",
        "## Answer (a-model)",
    ]
    assert "**Holes**, tied together." in lines
    assert lines[-2:] == ["A thread", "*This answer was interrupted. The server was restarted.*"]


def test_json_has_every_version_and_what_is_shown(
    ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter], services: Services
) -> None:
    answered(ada, conversation, "What is lace?", "Holes.", begin, End(Outcome.FINISHED))
    first = read(ada, conversation)["messages"][0]["id"]
    edited = ada.post(f"/api/messages/{first}/edit", json={"content": "What is silk?"}).get_json()
    services.control.ask_cancel(edited["stream"])
    response = ada.get(f"/api/conversations/{conversation}/export")
    exported = json.loads(response.text)
    assert [each["content"] for each in exported["messages"]] == ["What is lace?", "Holes.", "What is silk?", ""]
    shown = [each["content"] for each in exported["messages"] if each["id"] in exported["shown"]]
    assert shown == ["What is silk?", ""]
    assert "filename" in response.headers["Content-Disposition"]


def test_only_the_owner_takes_it_along(ada: FlaskClient, eve: FlaskClient, conversation: str) -> None:
    assert eve.get(f"/api/conversations/{conversation}/export").status_code == 404
    assert ada.get(f"/api/conversations/{conversation}/export?format=pdf").status_code == 400
