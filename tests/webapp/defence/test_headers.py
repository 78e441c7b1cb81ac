"""What a browser is told with every kind of answer, by a real server."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse

import pytest
from flask_openapi3.openapi import OpenAPI

from tests.support.redis_server import RedisServer
from tests.support.web_process import WebProcess, running_web
from tests.webapp.test_dashboard import basic

pytestmark = pytest.mark.timeout(400)

SCRIPT = "/assets/index-BxK3c9Qz.js"
PASSWORD = "correct horse battery staple"  # noqa: S105
KINDS = {
    "the page": "/",
    "a shared page that is none": "/s/none",
    "a script": SCRIPT,
    "JSON": "/api/conversations",
    "a problem": "/api/conversations/none",
    "nothing": "/nothing",
    "a redirect to the login": "/admin",
    "the login": "/admin/login",
    "a handshake that is none": "/api/socket",
    "the API's page": "/api/openapi/swagger",
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOT_TOLD = {"a script", "a handshake that is none"}  # come after a page that was told
BORROWED = {"/api/openapi/swagger", "/rq/"}  # pages of others, with scripts in their HTML


@pytest.fixture(scope="module")
def server(
    shared_redis: RedisServer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebProcess]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Rejoinder</title>")
    (folder / SCRIPT[1:]).write_text("console.log('hello')")
    environment = {"PAGE_FOLDER": str(folder), "ADMIN_PASSWORD": PASSWORD}
    log = tmp_path_factory.mktemp("web") / "web.log"
    with running_web(redis_url=shared_redis.url, database_url=database_url, log=log, environment=environment) as web:
        yield web


KEPT = {"/", "/c/<id:conversation_id>", "/s/<id:share_id>"}  # with a tag, by the browser alone
ANYBODYS = {"/plain/look.css", "/rq/static/<path:filename>", "/rq/favicon.ico"}


def test_what_is_somebodys_is_kept_by_nobody_on_the_way(open_app: Callable[..., OpenAPI]) -> None:
    app = open_app(admin_password=PASSWORD)
    client = app.test_client()
    asked = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.build_only]
    assert len(asked) > 40
    for rule in asked:
        if rule.rule in ANYBODYS or rule.endpoint.startswith(("openapi.", "swagger.")):
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for headers in ({}, {"Accept": "text/html"}, basic("admin", PASSWORD)):
            told = client.get(path, headers=headers).headers["Cache-Control"]
            assert "no-store" in told or (rule.rule in KEPT and "private" in told), rule.rule
            assert "public" not in told


def ask(server: WebProcess, path: str, **headers: str) -> HTTPResponse:
    return read(server, path, **headers)[0]


def read(server: WebProcess, path: str, **headers: str) -> tuple[HTTPResponse, str]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Accept": "text/html", **headers})
        response = connection.getresponse()
        return response, response.read().decode(errors="replace")


def directives(response: HTTPResponse) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_has_the_same_protection(server: WebProcess, kind: str) -> None:
    headers = ask(server, KINDS[kind]).headers
    assert {name: headers[name] for name in EVERYWHERE} == EVERYWHERE
    assert "camera=()" in headers["Permissions-Policy"]
    if kind != "a script":  # a policy is for documents
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert ("unsafe" in headers["Content-Security-Policy"]) == (KINDS[kind] in BORROWED)


@pytest.mark.parametrize("path", sorted(BORROWED))
def test_a_borrowed_page_runs_the_scripts_that_it_comes_with_and_no_others(server: WebProcess, path: str) -> None:
    nonces = set()
    for _ in range(2):
        response, page = read(server, path, **basic("admin", PASSWORD))
        policy = directives(response)
        assert policy["default-src"] == "'none'"
        assert "unsafe-inline" not in policy["script-src"] + policy["style-src"]
        nonce = re.search(r"'nonce-([\w-]{22,})'", policy["script-src"])
        assert nonce
        assert nonce[0] in policy["style-src"]
        opened = re.findall(r"<(?:script|style)\b[^>]*>", page)
        assert opened
        assert all(f'nonce="{nonce[1]}"' in each for each in opened)
        nonces.add(nonce[1])
    assert len(nonces) == 2


def test_the_page_loads_nothing_from_elsewhere_and_tells_nobody_anything(server: WebProcess) -> None:
    """An image in what a model writes would tell its server who reads it: there is none, and it would not load."""
    policy = directives(ask(server, "/"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "'self' data:"
    assert {policy[each] for each in ("script-src", "style-src", "font-src", "connect-src")} == {"'self'"}


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - NOT_TOLD))
def test_on_https_a_browser_is_told_to_stay_there_and_elsewhere_not(server: WebProcess, kind: str) -> None:
    by_https = ask(server, KINDS[kind], **{"X-Forwarded-Proto": "https"}).headers
    plain = ask(server, KINDS[kind]).headers
    assert by_https["Strict-Transport-Security"] == "max-age=31536000"
    assert plain["Strict-Transport-Security"] is None
