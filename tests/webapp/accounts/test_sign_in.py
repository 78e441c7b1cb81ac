"""Signing in at a provider of identities: whom we believe, and whom we do not."""

import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from tests.support.oidc_provider import OidcProvider, running_oidc_provider
from tests.webapp.accounts.conftest import go_to_the_provider, sign_in
from tests.webapp.people import read, send, share
from webapp.app import create_app
from webapp.identity import ACCOUNT_LIFETIME
from webapp.services import Services
from webapp.settings import Settings


def name(browser: FlaskClient) -> str | None:
    """Whose account this browser is in."""
    account = browser.get("/api/account").get_json()["account"]
    return account and str(account["name"])


def test_one_signs_in_and_comes_back_to_where_one_was(visitor: FlaskClient) -> None:
    before = visitor.get("/api/account").get_json()
    assert before == {
        "me": "",
        "account": None,
        "sign_in": {"name": "Example", "at": "/account/sign-in", "required": False},
    }
    back = sign_in(visitor, "/c/abc?x=1")
    assert (back.status_code, back.location) == (303, "/c/abc?x=1")
    after = visitor.get("/api/account").get_json()
    assert after["account"] == {"name": "Ada Lovelace", "email": "ada@id.test"}
    assert after["me"] != before["me"]


def test_the_provider_is_asked_for_a_code_with_pkce_state_and_nonce(visitor: FlaskClient) -> None:
    asked = parse_qs(urlsplit(visitor.get("/account/sign-in").location).query)
    assert asked["response_type"] == ["code"]
    assert asked["scope"] == ["openid profile email"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/account/callback"]
    for secret in ("state", "nonce", "code_challenge"):
        assert len(asked[secret][0]) >= 20
    again = parse_qs(urlsplit(visitor.get("/account/sign-in").location).query)
    assert not {asked["state"][0], asked["nonce"][0]} & {again["state"][0], again["nonce"][0]}


LIES = {
    "the nonce of another login": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "for somebody else": {"claims": {"aud": "somebody else"}},
    "for somebody else, by way of us": {"claims": {"aud": "somebody else", "azp": "rejoinder"}},
    "for nobody": {"claims": {"aud": None}},
    "expired": {"claims": {"exp": int(time.time()) - 3600}},
    "without an end": {"claims": {"exp": None}},
    "of another issuer": {"claims": {"iss": "https://evil.test"}},
    "about nobody": {"claims": {"sub": None}},
    "signed by somebody else": {"foreign_key": True},
    "signed by nobody": {"unsigned": True},
    "no token at all": {"no_token": True},
    "another state": {"state": "another"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_nobody_is_believed_who_proves_nothing(
    visitor: FlaskClient, provider: OidcProvider, lie: dict[str, object]
) -> None:
    provider.misbehave(**lie)
    refused = sign_in(visitor)
    assert refused.status_code == 400
    assert "does not belong to a login of this browser" in refused.text
    assert 'href="/account/sign-in?next=%2F"' in refused.text
    assert name(visitor) is None
    provider.misbehave()
    assert sign_in(visitor).status_code == 303  # it can be tried again


def test_a_token_for_us_among_others_is_for_us_if_the_provider_says_so(
    visitor: FlaskClient, provider: OidcProvider
) -> None:
    provider.misbehave(claims={"aud": ["rejoinder", "another"], "azp": "rejoinder"})
    assert sign_in(visitor).status_code == 303


def test_an_answer_belongs_to_the_browser_that_asked_and_is_good_once(site: OpenAPI, visitor: FlaskClient) -> None:
    answer = go_to_the_provider(visitor)
    other = site.test_client()
    assert other.get(answer).status_code == 400
    assert name(other) is None
    assert visitor.get(answer).status_code == 303
    assert visitor.get(answer).status_code == 400
    assert name(visitor) == "Ada Lovelace"  # who is in stays in


def test_without_a_question_there_is_no_answer(visitor: FlaskClient) -> None:
    for query in ("", "?code=x", "?code=x&state=y", "?state=%00"):
        assert visitor.get(f"/account/callback{query}").status_code == 400


def test_whoever_declines_is_told_so(visitor: FlaskClient, provider: OidcProvider) -> None:
    provider.misbehave(error="access_denied")
    declined = sign_in(visitor)
    assert declined.status_code == 403
    assert "did not sign you in" in declined.text
    hostile = visitor.get("/account/callback?error=<script>alert(1)</script>&error_description=<script>")
    assert "<script" not in hostile.text


def test_a_provider_in_trouble_is_told_and_signs_nobody_in(visitor: FlaskClient, provider: OidcProvider) -> None:
    provider.misbehave(status=503)
    away = visitor.get("/account/sign-in?next=/c/abc")
    assert away.status_code == 503
    assert "does not answer at the moment" in away.text
    assert 'href="/account/sign-in?next=%2Fc%2Fabc"' in away.text
    provider.misbehave()
    answer = go_to_the_provider(visitor)
    provider.misbehave(status=500)
    assert visitor.get(answer).status_code == 503
    assert name(visitor) is None


def test_a_provider_that_is_not_there_is_told(with_login: Settings, services: Services) -> None:
    with running_oidc_provider() as gone:
        pass
    site = create_app(with_login.model_copy(update={"oidc_issuer": gone.issuer}), services)
    assert site.test_client().get("/account/sign-in").status_code == 503


def test_a_provider_that_calls_itself_otherwise_is_not_asked(visitor: FlaskClient, provider: OidcProvider) -> None:
    provider.misbehave(metadata={"issuer": "https://evil.test"})
    assert visitor.get("/account/sign-in").status_code == 400
    assert "/authorize" not in provider.requests


def test_a_provider_may_change_its_keys(site: OpenAPI, provider: OidcProvider) -> None:
    assert sign_in(site.test_client()).status_code == 303
    provider.change_key()
    assert sign_in(site.test_client()).status_code == 303


@pytest.mark.parametrize(
    ("names", "expected"), [("token", "Ada Lovelace"), ("userinfo", "Ada Lovelace"), ("userinfo of another", "")]
)
def test_a_name_comes_with_the_token_or_is_asked_for(
    visitor: FlaskClient, provider: OidcProvider, names: str, expected: str
) -> None:
    provider.misbehave(names=names)
    assert sign_in(visitor).status_code == 303
    assert name(visitor) == expected


@pytest.mark.parametrize("wanted", ["//evil.test", "/\\evil.test", "https://evil.test/", "/\r\nevil.test"])
def test_nobody_is_sent_to_another_site(visitor: FlaskClient, wanted: str) -> None:
    assert sign_in(visitor, wanted).location == "/"


def test_logins_that_are_begun_and_never_finished_do_not_fill_the_cookie(visitor: FlaskClient) -> None:
    sizes = []
    for _ in range(8):
        go_to_the_provider(visitor, "/c/" + "x" * 100)
        cookie = visitor.get_cookie("rejoinder")
        assert cookie is not None
        sizes.append(len(cookie.value))
    assert max(sizes) < 3000  # browsers keep 4,096 bytes
    assert sign_in(visitor).status_code == 303


def test_without_a_provider_nothing_is_there(ada: FlaskClient) -> None:
    for path in ("/account/sign-in", "/account/callback?code=x&state=y"):
        assert ada.get(path).status_code == 404
    assert ada.get("/api/account").get_json() == {"me": "", "account": None, "sign_in": None}
    conversation = ada.post("/api/conversations").get_json()["id"]
    assert ada.post("/api/account/sign-out").status_code == 404  # nobody loses an identity that cannot be had again
    assert ada.get(f"/api/conversations/{conversation}").status_code == 200


# What one had, and what one leaves.


def test_what_the_browser_had_is_the_accounts_and_what_is_being_written_goes_on(
    site: OpenAPI, visitor: FlaskClient, services: Services
) -> None:
    conversation = visitor.post("/api/conversations").get_json()["id"]
    stream = send(visitor, conversation)["stream"]
    link = share(visitor, conversation)
    before = visitor.get_cookie("rejoinder")
    sign_in(visitor)
    assert read(visitor, conversation)["generating"] == stream
    assert visitor.get(f"/api/streams/{stream}").status_code == 200
    assert site.test_client().get(f"/api/shares/{link}").status_code == 200
    # The identity of before opens nothing any more, whoever has it.
    planted = site.test_client()
    assert before is not None
    planted.set_cookie("rejoinder", before.value)
    assert planted.get(f"/api/conversations/{conversation}").status_code == 404
    assert planted.get(f"/api/streams/{stream}").status_code == 404
    assert services.queue.count == 1


def test_what_came_under_way_with_the_identity_of_before_is_taken_along_too(
    site: OpenAPI, visitor: FlaskClient
) -> None:
    visitor.post("/api/conversations", json={"title": "Before"})
    before = visitor.get_cookie("rejoinder")
    assert before is not None
    sign_in(visitor)
    late = site.test_client()  # a request of another tab, which was sent before
    late.set_cookie("rejoinder", before.value)
    late.post("/api/conversations", json={"title": "Late"})
    assert name(visitor) == "Ada Lovelace"  # the page asks this first of all
    assert {each["title"] for each in visitor.get("/api/conversations").get_json()["items"]} == {"Before", "Late"}
    late.post("/api/conversations", json={"title": "Never"})
    name(visitor)
    assert len(visitor.get("/api/conversations").get_json()["items"]) == 2  # once: who knows that identity is not them


def test_a_browser_that_does_not_come_back_for_a_month_is_signed_out(visitor: FlaskClient) -> None:
    sign_in(visitor)
    conversation = visitor.post("/api/conversations").get_json()["id"]
    assert visitor.get(f"/api/conversations/{conversation}").status_code == 200
    with visitor.session_transaction() as session:
        session["account"] -= int(ACCOUNT_LIFETIME.total_seconds()) + 1
    assert name(visitor) is None
    assert visitor.get(f"/api/conversations/{conversation}").status_code == 404
    own = visitor.post("/api/conversations").get_json()["id"]  # as somebody new
    assert [each["id"] for each in visitor.get("/api/conversations").get_json()["items"]] == [own]


def test_a_browser_that_comes_back_stays_signed_in(visitor: FlaskClient) -> None:
    sign_in(visitor)
    with visitor.session_transaction() as session:
        session["account"] -= int(ACCOUNT_LIFETIME.total_seconds()) - 60
        due = session["account"]
    visitor.post("/api/conversations")  # renews it, as the page does
    with visitor.session_transaction() as session:
        assert session["account"] > due
    assert name(visitor) == "Ada Lovelace"


def test_another_browser_finds_it_all_and_brings_its_own(site: OpenAPI) -> None:
    home, work = site.test_client(), site.test_client()
    for browser, title in ((home, "At home"), (work, "At work")):
        browser.post("/api/conversations", json={"title": title})
        sign_in(browser)
    for browser in (home, work):
        assert {each["title"] for each in browser.get("/api/conversations").get_json()["items"]} == {
            "At home",
            "At work",
        }


def test_whoever_signs_out_is_somebody_new_here_and_is_sent_to_sign_out_there(
    visitor: FlaskClient, provider: OidcProvider
) -> None:
    conversation = visitor.post("/api/conversations").get_json()["id"]
    sign_in(visitor)
    left = visitor.post("/api/account/sign-out").get_json()["location"]
    there = parse_qs(urlsplit(left).query)
    assert left.startswith(f"{provider.issuer}/end_session?")
    assert (there["client_id"], there["post_logout_redirect_uri"]) == (["rejoinder"], ["http://localhost/"])
    assert name(visitor) is None
    assert visitor.get(f"/api/conversations/{conversation}").status_code == 404
    own = visitor.post("/api/conversations").get_json()["id"]
    sign_in(visitor)
    assert {each["id"] for each in visitor.get("/api/conversations").get_json()["items"]} == {conversation, own}


@pytest.mark.parametrize("trouble", [{"status": 503}, {"metadata": {"end_session_endpoint": None}}])
def test_one_signs_out_here_also_where_the_provider_has_no_way_or_is_away(
    with_login: Settings, services: Services, visitor: FlaskClient, provider: OidcProvider, trouble: dict[str, object]
) -> None:
    sign_in(visitor)
    cookie = visitor.get_cookie("rejoinder")
    assert cookie is not None
    provider.misbehave(**trouble)
    later = create_app(with_login, services).test_client()  # …which knows nothing of the provider yet
    later.set_cookie("rejoinder", cookie.value)
    assert later.post("/api/account/sign-out").get_json() == {"location": "/"}
    assert name(later) is None


def test_whoever_deletes_everything_has_no_account_any_more(site: OpenAPI, visitor: FlaskClient) -> None:
    visitor.post("/api/conversations")
    sign_in(visitor)
    cookie = visitor.get_cookie("rejoinder")
    assert cookie is not None
    assert visitor.delete("/api/me").status_code == 204
    elsewhere = site.test_client()
    elsewhere.set_cookie("rejoinder", cookie.value)
    assert name(elsewhere) is None
    sign_in(visitor)
    assert visitor.get("/api/conversations").get_json()["items"] == []


# Where an account is needed.


@pytest.fixture
def members_only(with_login: Settings, services: Services) -> OpenAPI:
    return create_app(with_login.model_copy(update={"oidc_required": True}), services)


def test_where_an_account_is_needed_nobody_writes_without_one_and_who_has_a_link_watches(
    members_only: OpenAPI,
) -> None:
    member, guest = members_only.test_client(), members_only.test_client()
    assert guest.get("/api/account").get_json()["sign_in"]["required"] is True
    refused = guest.post("/api/conversations")
    assert refused.status_code == 401
    assert "Sign in first" in refused.get_json()["detail"]
    sign_in(member)
    conversation = member.post("/api/conversations").get_json()["id"]
    stream = send(member, conversation)["stream"]
    link = share(member, conversation, may_ask=True)
    assert guest.get(f"/api/shares/{link}").status_code == 200
    assert guest.get(f"/api/streams/{stream}?share={link}").status_code == 200
    for path in ("messages", "remarks"):
        asked = guest.post(f"/api/shares/{link}/{path}", json={"content": "Why?", "name": "Eve"})
        assert asked.status_code == 401
    assert guest.delete("/api/me").status_code == 204


def test_the_document_says_to_sign_in_first_to_whoever_must_and_to_nobody_else(
    with_login: Settings, services: Services, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Rejoinder</title>")
    built = with_login.model_copy(update={"page_folder": tmp_path, "oidc_name": "A & <B>"})
    of_all, of_members = (create_app(built.model_copy(update={"oidc_required": only}), services) for only in (0, 1))
    assert "sign-in-first" not in of_all.test_client().get("/").text
    visitor = of_members.test_client()
    for path in ("/", "/c/0f3a", "/s/nowhere"):
        told = visitor.get(path)
        assert '<meta name="sign-in-first" content="{&quot;name&quot;:&quot;A &amp; &lt;B&gt;&quot;,' in told.text
    before = visitor.get("/").headers["ETag"]
    sign_in(visitor)
    after = visitor.get("/", headers={"If-None-Match": before})
    assert (after.status_code, "sign-in-first" in after.text) == (200, False)
    visitor.delete("/api/me")
    assert "sign-in-first" in visitor.get("/").text


def test_every_route_that_writes_needs_the_account_but_those_that_end_something(members_only: OpenAPI) -> None:
    guest = members_only.test_client()
    open_to_all = set()
    for rule in members_only.url_map.iter_rules():
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            if rule.rule.startswith("/api/"):
                path = rule.rule
                for argument in rule.arguments:
                    path = path.replace(f"<id:{argument}>", "x")
                if guest.open(path, method=method, json={}).status_code != 401:
                    open_to_all.add((method, rule.rule))
    assert open_to_all == {
        ("DELETE", "/api/me"),
        ("POST", "/api/account/sign-out"),
        ("POST", "/api/streams/<id:stream_id>/stop"),
        ("POST", "/api/shares/<id:share_id>/stop"),
        ("POST", "/api/admin/streams/<id:stream_id>/stop"),  # nobody's but the administrator's, who needs no account
    }
