"""What hostile words become on their way through everything that is told over HTTP."""

import json
import re
import unicodedata
from collections.abc import Callable
from email.message import Message
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from streams import End, Outcome, StreamWriter
from tests.support import hostile
from tests.support.writing import write
from tests.webapp.people import read, share

DOCUMENT = "<!doctype html><html><head><title>Rejoinder</title></head><body>here</body></html>"
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

OURS = {"og:type", "og:site_name", "og:title", "og:description", "og:url"}

every_short_one = pytest.mark.parametrize("words", hostile.SHORT.values(), ids=hostile.SHORT)


class Elements(HTMLParser):
    """What a browser makes of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def built(open_app: Callable[..., OpenAPI], tmp_path: Path) -> Flask:
    (tmp_path / "index.html").write_text(DOCUMENT)
    return open_app(page_folder=tmp_path)


def answered(person: FlaskClient, words: str, begin: Callable[[str], StreamWriter]) -> str:
    """A conversation in which everything is these words; its id."""
    body = {"title": words[:200], "system_prompt": words[:20_000]}
    conversation = str(person.post("/api/conversations", json=body).get_json()["id"])
    asked = {"content": words, "model": words[:200]}
    sent = person.post(f"/api/conversations/{conversation}/messages", json=asked)
    assert sent.status_code == 202, sent.text
    writer = begin(sent.get_json()["stream"])
    write(writer, words)
    writer.end(End(Outcome.FAILED, words[:500]))
    assert writer.wait_flushed(60)
    read(person, conversation)  # settles it
    return conversation


@pytest.mark.parametrize("words", hostile.ALL.values(), ids=hostile.ALL)
def test_what_is_asked_and_answered_is_told_as_it_was(
    ada: FlaskClient, words: str, begin: Callable[[str], StreamWriter]
) -> None:
    told = read(ada, answered(ada, words, begin))
    stored = words.replace("\0", "\ufffd")
    assert [each["content"] for each in told["messages"]] == [stored, stored]
    assert told["system_prompt"] == stored[:20_000]


@every_short_one
def test_a_preview_has_no_element_that_is_not_ours(
    built: Flask, words: str, begin: Callable[[str], StreamWriter]
) -> None:
    ada = built.test_client()
    link = share(ada, answered(ada, words, begin))
    page = built.test_client().get(f"/s/{link}")
    elements = Elements(page.text).found
    assert {tag for tag, _ in elements} == {"html", "head", "meta", "title", "body"}
    for tag, attributes in elements:
        assert set(attributes) <= ({"property", "name", "content"} if tag == "meta" else set())
        assert attributes.get("property", "og:type") in OURS
    assert not set(page.text) & TURNING
    assert page.text.endswith("</head><body>here</body></html>")


@every_short_one
def test_a_title_and_a_name_are_one_line_that_commands_and_turns_nothing(
    ada: FlaskClient, eve: FlaskClient, conversation: str, words: str
) -> None:
    ada.patch(f"/api/conversations/{conversation}", json={"title": words[:200]})
    link = share(ada, conversation, may_ask=True)
    asked = eve.post(f"/api/shares/{link}/messages", json={"content": "Hm?", "name": words[:80]}).get_json()
    said = eve.post(f"/api/shares/{link}/remarks", json={"content": words[:2000], "name": words[:80]}).get_json()
    listed = ada.get("/api/conversations").get_json()["items"][0]
    for text in (read(ada, conversation)["title"], listed["title"], asked["question"]["author"]["name"]):
        assert not [each for each in text if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}]
        assert not set(text) & TURNING
        assert text == "" or any(unicodedata.category(each)[0] in "LNPS" for each in text)
    assert said["author"] == asked["question"]["author"]
    assert said["author"]["tag"] == ada.get(f"/api/shares/{link}").get_json()["messages"][0]["author"]["tag"]


@pytest.mark.parametrize("words", hostile.ALL.values(), ids=hostile.ALL)
def test_an_export_is_a_download_with_a_harmless_name_whose_headings_are_ours(
    ada: FlaskClient, words: str, begin: Callable[[str], StreamWriter]
) -> None:
    conversation = answered(ada, words, begin)
    markdown = ada.get(f"/api/conversations/{conversation}/export?format=markdown")
    whole = ada.get(f"/api/conversations/{conversation}/export")
    for response in (markdown, whole):
        header = Message()
        header["Content-Disposition"] = response.headers["Content-Disposition"]
        assert header.get_content_disposition() == "attachment"
        assert re.fullmatch(r"[\w\- ]{1,80}\.(md|json)", str(header.get_filename()))
        assert response.headers["Content-Disposition"].isprintable()
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in response.headers
    lines = markdown.text.split("\n")
    ours = [line for line in lines if line.startswith(("# ", "## Answer (")) or line == lines[0]]
    for line in [*ours, next(line for line in reversed(lines) if line)]:
        assert not re.search(r"(?<!\\)(?:\\\\)*[<\[`|$]", line.replace(" UTC", "")), line
    assert json.loads(whole.text)["messages"][0]["content"] == words.replace("\0", "\ufffd")


def test_half_of_a_character_is_refused_by_its_place(ada: FlaskClient, conversation: str) -> None:
    refused = ada.patch(f"/api/conversations/{conversation}", json={"title": hostile.SURROGATE})
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (400, "title")
