"""A link lets its holder see one conversation, live, and do what it is good for, until it is over."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from conversations import open_store
from streams import End, Outcome, StreamWriter
from tests.support.waiting import wait_until
from tests.support.writing import write
from tests.webapp.people import Json, read, send, share
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings

FINISHED = End(Outcome.FINISHED)


@pytest.fixture
def bob(app: OpenAPI) -> FlaskClient:
    """A person who has nothing but links."""
    return app.test_client()


@pytest.fixture
def answered(ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter], services: Services) -> str:
    """Ada's conversation, with an answer that is complete."""
    stream = send(ada, conversation, "What is lace?")["stream"]
    writer = begin(stream)
    write(writer, "Holes, tied together.")
    writer.end(FINISHED)
    assert writer.wait_flushed(60)
    assert services.settler.settle(stream)
    return conversation


def ask(visitor: FlaskClient, link: str, content: str, key: str | None = None, name: str = "Bob") -> Json:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"content": content, "name": name}
    response = visitor.post(f"/api/shares/{link}/messages", json=body, headers=headers)
    return {"status": response.status_code, **response.get_json()}


# --- what is seen


def test_whoever_has_the_link_sees_the_conversation_and_nothing_else(
    ada: FlaskClient, bob: FlaskClient, answered: str
) -> None:
    ada.patch(f"/api/conversations/{answered}", json={"title": "On lace", "system_prompt": "Be brief. Never tell."})
    link = share(ada, answered)
    response = bob.get(f"/api/shares/{link}")
    shown = response.get_json()
    assert [each["content"] for each in shown["messages"]] == ["What is lace?", "Holes, tied together."]
    assert (shown["title"], shown["id"], shown["may_ask"], shown["discussion"]) == ("On lace", link, False, True)
    assert shown["system_prompt"] is None
    with ada.session_transaction() as session:
        owner = session["owner"]
    for secret in (owner, answered, "Never tell"):
        assert secret not in response.text
    for path in (f"/api/conversations/{answered}", f"/api/conversations/{link}"):
        assert bob.get(path).status_code == 404


def test_many_who_read_at_once_are_told_the_same_and_each_who_they_are(
    ada: FlaskClient, app: OpenAPI, answered: str
) -> None:
    link = share(ada, answered)
    people = [app.test_client() for _ in range(8)]
    for each in people:
        each.post("/api/conversations")  # whoever has something is somebody
    together = Barrier(len(people))

    def read_shared(person: FlaskClient) -> Json:
        together.wait(60)
        return dict(person.get(f"/api/shares/{link}").get_json())

    with ThreadPoolExecutor(len(people)) as pool:
        shown = list(pool.map(read_shared, people))
    assert len({each.pop("me") for each in shown}) == len(people)
    assert all(each == shown[0] for each in shown)


def test_the_system_prompt_is_shown_only_by_a_link_that_shows_it(
    ada: FlaskClient, bob: FlaskClient, conversation: str
) -> None:
    ada.patch(f"/api/conversations/{conversation}", json={"system_prompt": "Be brief."})
    link = share(ada, conversation, shows_prompt=True)
    assert bob.get(f"/api/shares/{link}").get_json()["system_prompt"] == "Be brief."


def test_other_versions_are_not_shared(ada: FlaskClient, bob: FlaskClient, answered: str, services: Services) -> None:
    first = read(ada, answered)["messages"][0]
    edited = ada.post(f"/api/messages/{first['id']}/edit", json={"content": "What is silk?"}).get_json()
    services.control.ask_cancel(edited["stream"])
    shown = bob.get(f"/api/shares/{share(ada, answered)}").get_json()
    assert [each["content"] for each in shown["messages"]] == ["What is silk?", ""]
    assert [each["versions"] for each in shown["messages"]] == [[each["id"]] for each in shown["messages"]]
    assert len(read(ada, answered)["messages"][0]["versions"]) == 2


def test_the_owner_sees_her_links_and_revokes_them_one_by_one(
    ada: FlaskClient, bob: FlaskClient, answered: str
) -> None:
    watching, asking = share(ada, answered), share(ada, answered, may_ask=True, discussion=False)
    shares = read(ada, answered)["shares"]
    assert [(each["id"], each["may_ask"], each["discussion"]) for each in shares] == [
        (watching, False, True),
        (asking, True, False),
    ]
    assert ada.delete(f"/api/shares/{watching}").status_code == 204
    assert [each["id"] for each in read(ada, answered)["shares"]] == [asking]
    assert bob.get(f"/api/shares/{asking}").status_code == 200
    assert bob.get(f"/api/shares/{watching}").status_code == 410
    assert ada.delete(f"/api/shares/{watching}").status_code == 204  # it is


def test_nobody_else_shares_or_revokes(ada: FlaskClient, eve: FlaskClient, answered: str) -> None:
    link = share(ada, answered)
    assert eve.post(f"/api/conversations/{answered}/shares").status_code == 404
    assert eve.delete(f"/api/shares/{link}").status_code == 404
    assert eve.get(f"/api/shares/{link}").status_code == 200


def test_a_revoked_link_is_dead_for_everything(
    ada: FlaskClient, bob: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]
) -> None:
    stream = send(ada, conversation)["stream"]
    write(begin(stream), "Holes")
    link = share(ada, conversation, may_ask=True)
    recording = bob.get(f"/api/streams/{stream}?share={link}")
    assert recording.get_json()["text"] == "Holes"
    ada.delete(f"/api/shares/{link}")
    attempts = [
        bob.get(f"/api/shares/{link}"),
        bob.post(f"/api/shares/{link}/messages", json={"content": "Hm?"}),
        bob.post(f"/api/shares/{link}/stop"),
        bob.get(f"/api/shares/{link}/remarks"),
        bob.post(f"/api/shares/{link}/remarks", json={"content": "Hm."}),
        bob.get(f"/api/streams/{stream}?share={link}"),
    ]
    assert {each.status_code for each in attempts} == {410}
    assert "revoked" in attempts[0].get_json()["detail"]


def test_a_link_that_never_was_is_not_found(bob: FlaskClient, stream: str) -> None:
    attempts = [
        bob.get("/api/shares/never"),
        bob.post("/api/shares/never/messages", json={"content": "Hm?"}),
        bob.get("/api/shares/never/remarks"),
        bob.get(f"/api/streams/{stream}?share=never"),
    ]
    assert {each.status_code for each in attempts} == {404}


def test_a_link_leads_to_no_other_stream(ada: FlaskClient, bob: FlaskClient, conversation: str) -> None:
    other = ada.post("/api/conversations").get_json()["id"]
    elsewhere = send(ada, other)["stream"]
    assert bob.get(f"/api/streams/{elsewhere}?share={share(ada, conversation)}").status_code == 404


def test_a_link_ends_at_its_time_which_must_be_to_come(
    ada: FlaskClient, answered: str, open_app: Callable[..., OpenAPI], database_url: str
) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    link = share(ada, answered, expires_at=end.isoformat())
    for moment, status in ((end - timedelta(seconds=1), 200), (end, 410)):
        then = open_app(open_store(database_url, now=lambda moment=moment: moment)).test_client()  # type: ignore[misc]
        assert then.get(f"/api/shares/{link}").status_code == status
    no_zone, over_the_edge = "2099-01-01T00:00:00", "9999-12-31T23:59:59-23:59"
    for wrong in ("2001-01-01T00:00:00Z", "tomorrow", no_zone, over_the_edge, 4_000_000_000, True, ""):
        refused = ada.post(f"/api/conversations/{answered}/shares", json={"expires_at": wrong})
        assert (refused.status_code, "expires_at" in refused.get_json()["detail"]) == (400, True)


@pytest.mark.parametrize("wrong", [0, 1, "true", None])
def test_what_a_link_is_good_for_is_said_by_true_and_false_alone(
    ada: FlaskClient, answered: str, wrong: object
) -> None:
    refused = ada.post(f"/api/conversations/{answered}/shares", json={"may_ask": wrong})
    assert (refused.status_code, "may_ask" in refused.get_json()["detail"]) == (400, True)


def test_a_deleted_conversation_is_shared_no_more_until_it_is_restored(
    ada: FlaskClient, bob: FlaskClient, answered: str
) -> None:
    link = share(ada, answered)
    ada.delete(f"/api/conversations/{answered}")
    assert bob.get(f"/api/shares/{link}").status_code == 404
    assert ada.post(f"/api/conversations/{answered}/restore").status_code == 200
    assert bob.get(f"/api/shares/{link}").status_code == 200


# --- asking


def test_a_visitor_asks_and_everybody_sees_who(
    ada: FlaskClient, bob: FlaskClient, answered: str, services: Services
) -> None:
    link = share(ada, answered, may_ask=True)
    sent = ask(bob, link, "And silk?")
    assert (sent["status"], sent["conversation"]) == (202, link)
    assert services.queue.fetch_job(sent["stream"]) is not None
    question = bob.get(f"/api/shares/{link}").get_json()["messages"][2]
    assert (question["content"], question["author"]["name"]) == ("And silk?", "Bob")
    assert question["author"]["tag"] == bob.get(f"/api/shares/{link}").get_json()["me"]
    assert read(ada, answered)["messages"][2]["author"] == question["author"]
    assert read(ada, answered)["messages"][0]["author"] is None


def test_the_same_question_sent_again_starts_nothing_new(
    ada: FlaskClient, bob: FlaskClient, answered: str, services: Services
) -> None:
    link = share(ada, answered, may_ask=True)
    first, again = ask(bob, link, "And silk?", "k1"), ask(bob, link, "And silk?", "k1")
    assert first == again
    assert len(read(ada, answered)["messages"]) == 4
    services.control.ask_cancel(first["stream"])
    question = read(ada, answered)["messages"][2]["id"]
    assert ada.post(f"/api/messages/{question}/edit", json={"content": "And wool?"}).status_code == 202
    assert ask(bob, link, "And silk?", "k1")["question"]["versions"] == [question], "hers are hers"


def test_who_is_second_is_told_so_and_nothing_is_written(ada: FlaskClient, bob: FlaskClient, answered: str) -> None:
    link = share(ada, answered, may_ask=True)
    running = send(ada, answered, "And silk?")["stream"]
    refused = ask(bob, link, "And wool?")
    assert (refused["status"], refused["stream"]) == (409, running)
    assert "Another question is being answered" in refused["detail"]
    assert len(read(ada, answered)["messages"]) == 4


def test_a_link_to_watch_is_not_for_asking(ada: FlaskClient, bob: FlaskClient, answered: str) -> None:
    refused = ask(bob, share(ada, answered), "And silk?")
    assert (refused["status"], "not for asking" in refused["detail"]) == (403, True)


def test_who_asked_may_stop_the_answer_and_nobody_else_who_has_the_link(
    ada: FlaskClient, bob: FlaskClient, eve: FlaskClient, answered: str
) -> None:
    link = share(ada, answered, may_ask=True)
    assert bob.post(f"/api/shares/{link}/stop").status_code == 404
    asked = ask(bob, link, "And silk?")
    assert eve.post(f"/api/shares/{link}/stop").status_code == 403
    assert bob.post(f"/api/streams/{asked['stream']}/stop").status_code == 404  # that address is the owner's
    stopped = bob.post(f"/api/shares/{link}/stop")
    assert (stopped.status_code, stopped.get_json()["stopping"]) == (202, True)
    assert read(ada, answered)["messages"][-1]["status"] == "cancelled"
    assert bob.post(f"/api/shares/{link}/stop").status_code == 404
    send(ada, answered, "Mine?")
    assert bob.post(f"/api/shares/{link}/stop").status_code == 403
    assert ada.post(f"/api/shares/{link}/stop").status_code == 202  # by her own link


def test_nobody_inherits_what_somebody_erased_had_asked(ada: FlaskClient, bob: FlaskClient, answered: str) -> None:
    link = share(ada, answered, may_ask=True)
    ask(bob, link, "And silk?")
    before = read(ada, answered)["version"]
    bob.delete("/api/me")
    shown = read(ada, answered)
    assert (shown["messages"][2]["author"]["name"], shown["version"]) == ("", before + 1)
    assert bob.post(f"/api/shares/{link}/stop").status_code == 403


def test_a_visitor_cannot_choose_edit_or_ask_again_in_the_owners_name(
    ada: FlaskClient, bob: FlaskClient, answered: str
) -> None:
    share(ada, answered, may_ask=True)
    question, answer = read(ada, answered)["messages"]
    attempts = [
        bob.post(f"/api/messages/{question['id']}/edit", json={"content": "Mine"}),
        bob.post(f"/api/messages/{answer['id']}/regenerate"),
        bob.post(f"/api/messages/{answer['id']}/select"),
        bob.post(f"/api/conversations/{answered}/messages", json={"content": "Mine"}),
    ]
    assert {each.status_code for each in attempts} == {404}


# --- the discussion


def test_visitors_and_owner_talk_beside_the_conversation(
    ada: FlaskClient, bob: FlaskClient, eve: FlaskClient, answered: str
) -> None:
    link = share(ada, answered)
    said = bob.post(f"/api/shares/{link}/remarks", json={"content": "Pretty.", "name": "Bob"})
    assert said.status_code == 201
    eve.post(f"/api/shares/{link}/remarks", json={"content": "Is it?", "name": "\u202eeveE <b>"})
    ada.post(f"/api/conversations/{answered}/remarks", json={"content": "It is.", "name": "Ada"})
    items = bob.get(f"/api/shares/{link}/remarks").get_json()["items"]
    assert [(each["author"]["name"], each["content"], each["author"]["owner"]) for each in items] == [
        ("Bob", "Pretty.", False),
        ("eveE <b>", "Is it?", False),
        ("Ada", "It is.", True),
    ]
    assert ada.get(f"/api/conversations/{answered}/remarks").get_json()["items"] == items
    assert bob.get(f"/api/shares/{link}/remarks?after=2").get_json()["items"] == items[2:]
    assert items[0]["author"]["tag"] == bob.get(f"/api/shares/{link}").get_json()["me"]
    assert items[2]["author"]["tag"] == read(ada, answered)["me"]


def test_the_owner_removes_any_remark_and_a_visitor_their_own(
    ada: FlaskClient, bob: FlaskClient, eve: FlaskClient, answered: str
) -> None:
    link = share(ada, answered)
    mine, hers = (
        each.post(f"/api/shares/{link}/remarks", json={"content": "Words"}).get_json()["id"] for each in (bob, eve)
    )
    assert bob.delete(f"/api/shares/{link}/remarks/{hers}").status_code == 404
    taken_back = bob.delete(f"/api/shares/{link}/remarks/{mine}")
    assert (taken_back.status_code, taken_back.get_json()["removed"]) == (200, True)
    assert ada.delete(f"/api/conversations/{answered}/remarks/{hers}").status_code == 200
    assert eve.delete(f"/api/conversations/{answered}/remarks/{hers}").status_code == 404
    items = bob.get(f"/api/shares/{link}/remarks").get_json()["items"]
    assert [(each["removed"], each["content"]) for each in items] == [(True, ""), (True, "")]


def test_a_link_without_a_discussion_has_none(ada: FlaskClient, bob: FlaskClient, answered: str) -> None:
    link = share(ada, answered, discussion=False)
    assert bob.get(f"/api/shares/{link}/remarks").status_code == 403
    refused = bob.post(f"/api/shares/{link}/remarks", json={"content": "Hello?"})
    assert (refused.status_code, "not for discussing" in refused.get_json()["detail"]) == (403, True)


@pytest.mark.parametrize("content", ["", " \n ", "x" * 2001])
def test_a_remark_that_is_none_is_refused_by_name(
    ada: FlaskClient, bob: FlaskClient, answered: str, content: str
) -> None:
    refused = bob.post(f"/api/shares/{share(ada, answered)}/remarks", json={"content": content})
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (400, "content")


# --- everything of mine


def test_erasing_removes_all_that_is_a_persons_and_their_cookie(
    ada: FlaskClient, bob: FlaskClient, eve: FlaskClient, answered: str, begin: Callable[[str], StreamWriter]
) -> None:
    link = share(ada, answered)
    writer = begin(send(ada, answered, "And silk?")["stream"])
    stopped: list[object] = []
    writer.on_stop(stopped.append)
    hers = eve.post("/api/conversations").get_json()["id"]
    her_link = share(eve, hers)
    ada.post(f"/api/shares/{her_link}/remarks", json={"content": "Ada was here", "name": "Ada"})

    assert ada.delete("/api/me").status_code == 204
    assert ada.get_cookie("rejoinder") is None
    wait_until(lambda: stopped, what="the writer to be told")
    assert bob.get(f"/api/shares/{link}").status_code == 404
    assert "Ada" not in eve.get(f"/api/conversations/{hers}/remarks").text
    assert ada.get("/api/conversations").get_json()["items"] == []
    assert ada.delete("/api/me").status_code == 204  # a stranger has nothing


# --- the page of a link

HTML = '<!doctype html><html><head><meta charset="utf-8" /><title>Rejoinder</title></head><body></body></html>'


@pytest.fixture
def built(tmp_path: Path, settings: Settings, services: Services) -> Iterator[FlaskClient]:
    """A visitor of an application whose page has been built."""
    (tmp_path / "index.html").write_text(HTML)
    with create_app(settings.model_copy(update={"page_folder": tmp_path}), services).test_client() as client:
        yield client


def test_a_link_previews_as_title_and_first_lines_and_is_not_indexed(
    ada: FlaskClient, built: FlaskClient, answered: str
) -> None:
    ada.patch(f"/api/conversations/{answered}", json={"title": 'On "lace" <script>'})
    response = built.get(f"/s/{share(ada, answered)}")
    assert response.status_code == 200
    assert '<meta property="og:title" content="On &quot;lace&quot; &lt;script&gt;">' in response.text
    assert '<meta property="og:description" content="Holes, tied together.">' in response.text
    assert "<title>On &quot;lace&quot; &lt;script&gt;</title>" in response.text
    assert '<meta name="robots" content="noindex">' in response.text
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "same-origin"
    indexed = built.get(f"/s/{share(ada, answered, indexed=True)}")
    assert "noindex" not in indexed.text
    assert "X-Robots-Tag" not in indexed.headers


def test_a_dead_link_is_410_and_one_that_never_was_404_and_neither_shows_anything(
    ada: FlaskClient, built: FlaskClient, answered: str
) -> None:
    link = share(ada, answered)
    ada.delete(f"/api/shares/{link}")
    for path, status in ((f"/s/{link}", 410), ("/s/never", 404)):
        response = built.get(path)
        assert response.status_code == status
        assert "og:" not in response.text
        assert "noindex" in response.text


def test_the_owners_own_address_previews_nothing(ada: FlaskClient, built: FlaskClient, answered: str) -> None:
    ada.patch(f"/api/conversations/{answered}", json={"title": "Secret lace"})
    assert "og:" not in built.get(f"/c/{answered}").text
    assert "Secret" not in built.get(f"/c/{answered}").text
