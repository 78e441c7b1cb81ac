"""Watching by a link, on a real gunicorn: the same text, live; who else is there; and the door when it closes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar

import pytest
from flask.testing import FlaskClient
from websockets.exceptions import ConnectionClosed

from conversations import Terms, Visitor, open_store
from streams import End, Outcome, StreamWriter, keys
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import RedisServer
from tests.support.socket_client import SocketClient, connected, connection_to
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.writing import write
from tests.webapp.people import cookie_of, read, send, share
from webapp.services import Services

pytestmark = pytest.mark.timeout(400)

T = TypeVar("T")

FINISHED = End(Outcome.FINISHED)
MUCH = 10_000  # more than anybody is sent who is cut off
GOODBYE = (4410, "This link was revoked, or its time is over.")


@pytest.fixture
def writer(ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]) -> StreamWriter:
    """Of an answer in Ada's conversation."""
    return begin(send(ada, conversation)["stream"])


def test_whoever_has_the_link_follows_the_same_answer_from_its_first_character(
    web: WebProcess, ada: FlaskClient, conversation: str, writer: StreamWriter
) -> None:
    link = share(ada, conversation)
    with connected(web.url, cookie_of(ada)) as owner, connected(web.url, share=link) as early:
        for page in (owner, early):
            page.say(type="follow", stream=writer.stream_id)
        write(writer, "Once ", "upon ")
        with connected(web.url, share=link) as late:
            late.say(type="follow", stream=writer.stream_id)
            late.receive_text("Once upon ")
            write(writer, "a time.")
            writer.end(FINISHED)
            for page in (owner, early, late):
                page.receive_text("Once upon a time.")
                assert page.receive_until("end")[-1]["outcome"] == "finished"


def test_a_share_socket_is_for_the_conversation_of_its_link_alone(
    web: WebProcess, ada: FlaskClient, conversation: str
) -> None:
    other = ada.post("/api/conversations").get_json()["id"]
    elsewhere = send(ada, other)["stream"]
    # Ada's own cookie opens nothing here: what a link shows must not depend on who looks.
    with connected(web.url, cookie_of(ada), share=share(ada, conversation)) as page:
        page.say(type="follow", stream=elsewhere)
        assert page.receive()["problem"]["status"] == 404
        page.say(type="watch", conversation=conversation, version=0)
        assert page.receive()["problem"]["status"] == 404


def test_a_visitor_hears_of_a_question_under_the_name_of_the_link(
    web: WebProcess, ada: FlaskClient, conversation: str
) -> None:
    link = share(ada, conversation)
    with connected(web.url, share=link) as page:
        page.say(type="watch", conversation=link, version=read(ada, conversation)["version"])
        page.say(type="ping")
        page.receive_until("pong")
        sent = send(ada, conversation)
        assert page.receive_until("news")[-1] == {"type": "news", "conversation": link, "version": sent["version"]}


@pytest.mark.parametrize("way", ["revoke", "delete", "erase"])
def test_when_a_link_dies_its_watchers_are_told_and_cut_off_and_see_not_one_more_character(
    web: WebProcess, ada: FlaskClient, conversation: str, writer: StreamWriter, way: str
) -> None:
    doomed = share(ada, conversation)
    with connected(web.url, share=doomed) as page:
        page.say(type="follow", stream=writer.stream_id)
        write(writer, "Before. ")
        page.receive_text("Before. ")
        path = {"revoke": f"shares/{doomed}", "delete": f"conversations/{conversation}", "erase": "me"}[way]
        assert ada.delete(f"/api/{path}").status_code == 204
        written, told = write_on_until(writer, page.closed)
        assert told == GOODBYE
        seen = page.text.removeprefix("Before. ")
        assert len(seen) < written * len("After. "), "what was on its way may arrive, and nothing else"


def write_on_until(writer: StreamWriter, end: Callable[[], T]) -> tuple[int, T]:
    """A writer does not know that a reader is cut off, and goes on for longer. How often it wrote, and what ended."""
    written = 0
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(end)
        while not reading.done() and written < MUCH:
            write(writer, "After. ")
            written += 1
        ended = reading.result(60)
    write(writer, "After. ")
    return written + 1, ended


def test_revoking_one_link_leaves_those_who_came_by_another(
    web: WebProcess, ada: FlaskClient, conversation: str, writer: StreamWriter
) -> None:
    doomed, kept = share(ada, conversation), share(ada, conversation)
    with connected(web.url, share=doomed) as leaver, connected(web.url, share=kept) as stayer:
        stayer.say(type="follow", stream=writer.stream_id)
        ada.delete(f"/api/shares/{doomed}")
        assert leaver.closed() == GOODBYE
        write(writer, "After.")
        stayer.receive_text("After.")


def test_watchers_are_cut_off_although_the_hint_was_lost(
    web: WebProcess, ada: FlaskClient, conversation: str, services: Services
) -> None:
    link = share(ada, conversation)
    with connected(web.url, share=link) as page, ada.session_transaction() as session:
        services.store.revoke(session["owner"], link)  # nobody is told
        assert page.closed() == GOODBYE


def test_what_was_said_is_told_although_the_hint_was_lost(
    web: WebProcess, ada: FlaskClient, conversation: str, services: Services
) -> None:
    link = share(ada, conversation)
    with connected(web.url, share=link) as page:
        page.say(type="watch", conversation=link, version=99, remarks=0, viewers=1)
        page.say(type="ping")
        page.receive_until("pong")
        services.store.add_remark(conversation, Visitor("eve", "Eve"), "Nobody is told")
        assert page.receive_until("remarks")[-1]["remarks"][0]["content"] == "Nobody is told"


def test_watchers_are_cut_off_while_redis_is_silent(own_redis: RedisServer, tmp_path: Path) -> None:
    database_url = migrated(new_sqlite(tmp_path))
    log = tmp_path / "web.log"
    with (
        closing(open_store(database_url)) as store,
        running_web(redis_url=own_redis.url, database_url=database_url, log=log) as web,
    ):
        share = store.share("ada", store.create_conversation("ada").id, Terms())
        with connected(web.url, share=share.id) as page:
            own_redis.pause()
            try:
                store.revoke("ada", share.id)
                assert page.closed() == GOODBYE
            finally:
                own_redis.resume()


def test_watchers_are_cut_off_when_the_links_time_is_over(web: WebProcess, ada: FlaskClient, conversation: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=6)  # to share and to connect
    link = share(ada, conversation, expires_at=soon.isoformat())
    with connected(web.url, share=link) as page:
        assert page.closed() == GOODBYE
        assert datetime.now(UTC) >= soon


def test_a_socket_by_a_dead_link_or_none_is_closed_with_a_code_that_says_so(
    web: WebProcess, ada: FlaskClient, conversation: str
) -> None:
    link = share(ada, conversation)
    ada.delete(f"/api/shares/{link}")
    for name, code in ((link, 4410), ("never", 4404)):
        with connection_to(web.url, share=name) as connection:
            with pytest.raises(ConnectionClosed) as closed:
                connection.recv(60)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code


def test_a_reader_of_server_sent_events_is_cut_off_too_and_told_410_when_it_comes_back(
    web: WebProcess, ada: FlaskClient, conversation: str, writer: StreamWriter
) -> None:
    link = share(ada, conversation)
    path = f"/api/streams/{writer.stream_id}?share={link}"
    write(writer, "Before. ")
    with closing(HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Accept": "text/event-stream"})
        response = connection.getresponse()
        while b"Before. " not in response.readline():
            pass
        ada.delete(f"/api/shares/{link}")
        written, seen = write_on_until(writer, response.read)
        assert seen.count(b"After. ") < written
        connection.request("GET", path, headers={"Accept": "text/event-stream"})
        assert connection.getresponse().status == 410


# --- who is there, and what they say


def counted(page: SocketClient, viewers: int) -> None:
    while page.receive_until("audience")[-1]["viewers"] != viewers:
        pass


def test_everybody_is_told_how_many_watch_over_all_processes_and_when_they_leave(
    web: WebProcess,
    ada: FlaskClient,
    conversation: str,
    services: Services,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    link = share(ada, conversation)
    log = tmp_path_factory.mktemp("second") / "web.log"
    with (
        running_web(redis_url=services.settings.redis_url, database_url=database_url, log=log) as second,
        connected(web.url, cookie_of(ada)) as owner,
        ExitStack() as visitors,
    ):
        version = read(ada, conversation)["version"]
        owner.say(type="watch", conversation=conversation, version=version)
        pages = [visitors.enter_context(connected(process.url, share=link)) for process in (web, web, second)]
        counted(owner, 3)
        pages[0].say(type="watch", conversation=link, version=version)
        counted(pages[0], 3)
        pages[2].connection.close()
        counted(owner, 2)
        with connected(web.url, share=link) as returning:  # it comes from a worse network, and shows what was
            returning.say(type="watch", conversation=link, version=version, viewers=9)
            counted(returning, 3)
            counted(owner, 3)
        counted(owner, 2)
        second.terminate()
        visitors.pop_all().close()
        counted(owner, 0)
        wait_until(lambda: not services.redis.hgetall(keys.audience(conversation)), what="the numbers to be taken away")


def test_remarks_are_told_to_all_who_take_part_from_where_they_stand(
    web: WebProcess, ada: FlaskClient, eve: FlaskClient, conversation: str
) -> None:
    link = share(ada, conversation)
    version = read(ada, conversation)["version"]

    def say(words: str) -> dict[str, object]:
        response = eve.post(f"/api/shares/{link}/remarks", json={"content": words, "name": "Eve"})
        return dict(response.get_json())

    first, second = say("First"), say("Second")
    with (
        connected(web.url, cookie_of(ada)) as owner,
        connected(web.url, share=link) as newcomer,
        connected(web.url, share=link) as returning,
        connected(web.url, share=link) as silent,
    ):
        owner.say(type="watch", conversation=conversation, version=version, remarks=0)
        newcomer.say(type="watch", conversation=link, version=version, remarks=0)
        returning.say(type="watch", conversation=link, version=version, remarks=1)
        silent.say(type="watch", conversation=link, version=version)
        expected = {"type": "remarks", "conversation": link, "remarks": [first, second]}
        assert newcomer.receive_until("remarks")[-1] == expected
        assert owner.receive_until("remarks")[-1] == {**expected, "conversation": conversation}
        assert returning.receive_until("remarks")[-1] == {**expected, "remarks": [second]}
        third = say("Third")
        removed = ada.delete(f"/api/conversations/{conversation}/remarks/{first['id']}").get_json()
        assert removed["removed"]
        for page in (owner, newcomer, returning):
            heard: list[object] = []
            while len(heard) < 2:
                heard += page.receive_until("remarks")[-1]["remarks"]
            assert heard == [third, removed]
        silent.say(type="ping")
        assert "remarks" not in {frame["type"] for frame in silent.receive_until("pong")}


def test_a_link_without_a_discussion_tells_no_remarks(web: WebProcess, ada: FlaskClient, conversation: str) -> None:
    link = share(ada, conversation, discussion=False)
    ada.post(f"/api/conversations/{conversation}/remarks", json={"content": "Among ourselves"})
    with connected(web.url, share=link) as page:
        page.say(type="watch", conversation=link, version=0, remarks=0)
        page.receive_until("news")
        page.say(type="ping")
        assert "remarks" not in {frame["type"] for frame in page.receive_until("pong")}


def test_nobody_who_comes_while_others_talk_misses_a_remark(
    web: WebProcess, ada: FlaskClient, conversation: str, services: Services
) -> None:
    link = share(ada, conversation)
    count = 40

    def talk() -> None:
        for number in range(count):
            services.store.add_remark(conversation, Visitor("eve", "Eve"), str(number))
            services.announce_change(conversation)

    with ExitStack() as open_pages, ThreadPoolExecutor(1) as talkers:
        talking = talkers.submit(talk)
        pages: list[SocketClient] = []
        while not talking.done() or len(pages) < 5:
            page = open_pages.enter_context(connected(web.url, share=link))
            page.say(type="watch", conversation=link, version=99, remarks=0)
            pages.append(page)
        for page in pages:
            heard: list[str] = []
            while len(heard) < count:
                heard += [each["content"] for each in page.receive_until("remarks")[-1]["remarks"]]
            assert heard == [str(number) for number in range(count)]
