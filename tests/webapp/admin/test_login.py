"""The administrator's login: who gets a session, and what ends it."""

from base64 import b64encode
from collections.abc import Callable
from http.cookies import SimpleCookie
from urllib.parse import quote

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from streams import connect
from tests.support.redis_server import RedisServer
from tests.webapp.test_dashboard import PASSWORD, basic
from webapp.admin.guard import COOKIE
from webapp.admin.sessions import IDLE, LIFETIME, Session, Sessions
from webapp.app import create_app
from webapp.dashboard import create_dashboard
from webapp.services import Services
from webapp.settings import Settings

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
SCRIPT = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}


@pytest.fixture
def application(settings: Settings, services: Services) -> Callable[[str], Flask]:
    """An application with this password."""

    def application(password: str) -> Flask:
        return create_app(settings.model_copy(update={"admin_password": SecretStr(password)}), services)

    return application


@pytest.fixture
def guarded(application: Callable[[str], Flask]) -> FlaskClient:
    """A browser before an application that has a password."""
    return application(PASSWORD).test_client()


def sign_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> TestResponse:
    return client.post("/admin/login", data={"password": password, **fields}, headers=BROWSER)


def test_a_browser_is_led_to_the_login_and_back(guarded: FlaskClient) -> None:
    led = guarded.get("/rq/0/view/workers?page=2", headers=BROWSER)
    assert (led.status_code, led.location) == (303, f"/admin/login?next={quote('/rq/0/view/workers?page=2', safe='')}")
    page = guarded.get(led.location, headers=BROWSER)
    assert page.status_code == 200
    assert 'value="/rq/0/view/workers?page=2"' in page.text
    back = sign_in(guarded, next="/rq/0/view/workers?page=2")
    assert (back.status_code, back.location) == (303, "/rq/0/view/workers?page=2")
    assert guarded.get("/rq/0/view/workers", headers=BROWSER).status_code == 200
    assert guarded.get("/vitals", headers=SCRIPT).status_code == 200
    assert guarded.get("/admin/login", headers=BROWSER).location == "/admin"


def test_the_session_is_a_cookie_that_no_script_and_no_other_site_can_use(guarded: FlaskClient) -> None:
    [cookie] = SimpleCookie(sign_in(guarded).headers["Set-Cookie"]).values()
    assert (cookie.key, cookie["httponly"], cookie["samesite"], cookie["secure"]) == (COOKIE, True, "Strict", "")
    assert cookie["expires"] == ""  # it ends with the browser, at the latest
    by_https = guarded.post("/admin/login", data={"password": PASSWORD}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in by_https.headers["Set-Cookie"]


def test_a_wrong_password_is_told_and_gives_no_session(guarded: FlaskClient) -> None:
    for wrong in ("guess", "", PASSWORD + " ", "pässwörd"):
        refused = sign_in(guarded, wrong)
        assert refused.status_code == 403
        assert "That is not the password." in refused.text
        assert "Set-Cookie" not in refused.headers
    assert guarded.get("/rq/", headers=BROWSER).status_code == 303


def test_every_login_is_another_session_whatever_cookie_came_along(guarded: FlaskClient) -> None:
    sign_in(guarded)
    first = guarded.get_cookie(COOKIE)
    sign_in(guarded)
    second = guarded.get_cookie(COOKIE)
    assert first is not None
    assert second is not None
    assert first.value != second.value


def test_whoever_signs_out_is_out_with_every_copy_of_the_cookie(guarded: FlaskClient) -> None:
    sign_in(guarded)
    copy = guarded.get_cookie(COOKIE)
    assert copy is not None
    assert guarded.get("/admin", headers=BROWSER).status_code == 200
    assert guarded.post("/admin/logout", headers=BROWSER).location == "/admin/login"
    assert guarded.get_cookie(COOKIE) is None
    guarded.set_cookie(COOKIE, copy.value)
    assert guarded.get("/admin", headers=BROWSER).status_code == 303


def test_another_password_ends_all_sessions(guarded: FlaskClient, application: Callable[[str], Flask]) -> None:
    sign_in(guarded)
    cookie = guarded.get_cookie(COOKIE)
    assert cookie is not None
    for password, status in ((PASSWORD, 200), ("another", 303)):
        later = application(password).test_client()
        later.set_cookie(COOKIE, cookie.value)
        assert later.get("/admin", headers=BROWSER).status_code == status


def test_another_site_can_neither_sign_in_nor_out_nor_use_the_session(guarded: FlaskClient) -> None:
    sign_in(guarded)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test"}):
        for path in ("/admin/login", "/admin/logout", "/rq/queue/generations/queued/empty"):
            assert guarded.post(path, data={"password": PASSWORD}, headers=headers).status_code == 403
    assert guarded.get("/admin", headers=BROWSER).status_code == 200
    home = {"Origin": "http://localhost"}  # all that a browser says on plain http
    assert guarded.post("/admin/logout", headers=home).status_code == 303


@pytest.mark.parametrize(
    "wanted", ["//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test", "evil.test", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site(guarded: FlaskClient, wanted: str) -> None:
    assert "evil.test" not in guarded.get("/admin/login", query_string={"next": wanted}, headers=BROWSER).text
    assert sign_in(guarded, next=wanted).location == "/admin"


def test_a_page_whose_session_is_over_does_not_make_the_browser_ask_for_a_password(guarded: FlaskClient) -> None:
    for headers in (SCRIPT, {"X-Requested-With": "XMLHttpRequest"}):
        refused = guarded.get("/rq/0/data/queues.json", headers=headers)
        assert refused.status_code == 401
        assert "WWW-Authenticate" not in refused.headers
    assert "WWW-Authenticate" in guarded.get("/vitals").headers  # a program


def test_the_index_links_what_every_room_has_for_the_administrator(guarded: FlaskClient) -> None:
    sign_in(guarded)
    page = guarded.get("/admin", headers=BROWSER)
    rules = {rule.rule for rule in guarded.application.url_map.iter_rules()}
    linked = [part.partition('"')[0] for part in page.text.split('<a href="')[1:]]
    assert linked == ["/rq/", "/admin/operations", "/vitals", "/metrics", "/"]
    assert set(linked) <= rules


def test_the_index_links_nothing_that_is_not_mounted(settings: Settings, services: Services) -> None:
    alone = create_dashboard(settings.model_copy(update={"admin_password": SecretStr(PASSWORD)}), services.redis)
    page = alone.test_client().get("/admin", headers=basic("admin", PASSWORD))
    assert [part.partition('"')[0] for part in page.text.split('<a href="')[1:]] == ["/rq/"]


def test_the_pages_run_no_script_and_are_framed_by_nobody(guarded: FlaskClient) -> None:
    login = guarded.get("/admin/login?next=/%22%3E%3Cscript%3E", headers=BROWSER)
    sign_in(guarded)
    for page in (login, guarded.get("/admin", headers=BROWSER)):
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert "<script>" not in page.text
        assert "style=" not in page.text
    assert guarded.get("/plain/look.css").mimetype == "text/css"


@pytest.mark.parametrize("path", ["/admin", "/admin/login"])
def test_without_a_password_there_is_no_login(ada: FlaskClient, path: str) -> None:
    ada.set_cookie(COOKIE, "anything")
    assert ada.get(path, headers=BROWSER).status_code == 404
    assert ada.post("/admin/login", data={"password": ""}).status_code == 404


# What ends a session by itself.


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(services: Services, clock: Clock) -> Sessions:
    return Sessions(["new key", "old key"], PASSWORD, services.redis, clock)


def test_an_idle_session_ends(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin()
    clock.now += IDLE
    assert sessions.find(cookie)
    clock.now += 2
    assert sessions.find(cookie) is None


def test_a_session_that_is_used_ends_after_its_lifetime(sessions: Sessions, clock: Clock) -> None:
    cookie, begun = sessions.begin(), clock.now
    while clock.now - begun <= LIFETIME:
        session = sessions.find(cookie)
        assert session is not None
        cookie = sessions.renew(session)
        clock.now += IDLE / 2
    assert sessions.find(cookie) is None


def test_keys_can_be_changed_one_by_one(services: Services, clock: Clock) -> None:
    before = Sessions(["old key"], PASSWORD, services.redis, clock).begin()
    both = Sessions(["new key", "old key"], PASSWORD, services.redis, clock)
    after = Sessions(["new key"], PASSWORD, services.redis, clock)
    assert both.find(before)
    assert after.find(both.begin())
    assert after.find(before) is None


@pytest.mark.parametrize("forged", ["", "x", "a.b", "[].x", "WyJhIiwxLDFd.AAAA"])
def test_what_was_not_signed_is_no_session(sessions: Sessions, forged: str) -> None:
    assert sessions.find(forged) is None


def test_only_a_page_that_somebody_opens_keeps_the_session_in_use(guarded: FlaskClient) -> None:
    sign_in(guarded)
    assert "Set-Cookie" not in guarded.get("/rq/0/data/queues.json", headers=SCRIPT).headers
    assert COOKIE in guarded.get("/rq/", headers=BROWSER).headers["Set-Cookie"]


def test_a_session_is_good_while_redis_is_away_until_it_ends(own_redis: RedisServer, clock: Clock) -> None:
    client = connect(own_redis.url, retries=0)
    sessions = Sessions(["key"], PASSWORD, client, clock)
    session = sessions.find(sessions.begin())
    assert session == Session(session.id if session else "", clock.now, clock.now)
    own_redis.kill()
    assert sessions.find(sessions.renew(session))
    with pytest.raises(redis.RedisError):
        sessions.end(session)
    client.close()


# Guessing.


def test_guesses_are_counted_for_an_address_whichever_way_they_come(guarded: FlaskClient) -> None:
    for _ in range(5):
        assert sign_in(guarded, "guess").status_code == 403
        assert guarded.get("/vitals", headers=basic("admin", "guess")).status_code == 401
    for password in ("guess", PASSWORD):  # the right one is not told from the wrong one
        refused = sign_in(guarded, password)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 600
        assert "Too many wrong passwords. Try again in 10 minutes." in refused.text
        assert guarded.get("/vitals", headers=basic("admin", password)).status_code == 429


def test_all_processes_count_together(application: Callable[[str], Flask]) -> None:
    processes = [application(PASSWORD).test_client() for _ in range(2)]
    for number in range(10):
        assert sign_in(processes[number % 2], "guess").status_code == 403
    assert [sign_in(process).status_code for process in processes] == [429, 429]


def test_whoever_is_in_stays_in_while_others_guess(guarded: FlaskClient) -> None:
    sign_in(guarded)
    for _ in range(11):
        last = sign_in(guarded, "guess")
    assert last.status_code == 429
    assert guarded.get("/admin", headers=BROWSER).status_code == 200


def test_guesses_from_many_addresses_are_counted_in_all_and_do_not_keep_out_who_was_in_before(
    guarded: FlaskClient,
) -> None:
    def from_address(address: str, password: str) -> int:
        place = {"REMOTE_ADDR": address}
        return guarded.post("/admin/login", data={"password": password}, environ_base=place).status_code

    assert from_address("192.0.2.1", PASSWORD) == 303
    guesses = [from_address(f"198.51.100.{number // 10}", "guess") for number in range(101)]
    assert guesses == [403] * 100 + [429]
    assert from_address("203.0.113.9", PASSWORD) == 429
    assert from_address("192.0.2.1", PASSWORD) == 303


def test_the_right_password_is_never_counted(guarded: FlaskClient) -> None:
    scrapes = [guarded.get("/vitals", headers=basic("admin", PASSWORD)).status_code for _ in range(25)]
    assert scrapes == [200] * 25


def test_while_redis_is_away_guesses_are_counted_and_one_can_sign_in(
    own_redis: RedisServer, settings: Settings
) -> None:
    client = connect(own_redis.url, retries=0)
    given = settings.model_copy(update={"admin_password": SecretStr(PASSWORD)})
    guarded = create_dashboard(given, client).test_client()
    own_redis.kill()
    assert sign_in(guarded).status_code == 303
    assert [sign_in(guarded, "guess").status_code for _ in range(11)] == [403] * 10 + [429]
    assert sign_in(guarded).status_code == 429
    client.close()


def test_programs_use_http_basic(guarded: FlaskClient) -> None:
    encoded = b64encode(f"admin:{PASSWORD}".encode()).decode()
    assert guarded.get("/vitals", headers={"Authorization": f"Basic {encoded}"}).status_code == 200
    assert guarded.get("/admin", headers={"Authorization": f"Basic {encoded}"}).status_code == 200
