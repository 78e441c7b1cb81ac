"""The WebSocket of PROTOCOL.md, on a real gunicorn: what a page is sent, and what happens to a client that errs."""

import json
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from websockets.exceptions import InvalidHandshake
from wsproto.events import CloseConnection, Event, Ping

from streams import End, Kind, Outcome, StreamWriter, keys
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import RedisServer
from tests.support.slow_socket import SlowSocket
from tests.support.socket_client import SocketClient, connected
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.writing import write
from tests.webapp.people import cookie_of, send, share
from webapp.services import Services

pytestmark = pytest.mark.timeout(400)  # as in test_process.py

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
TYPES = "follow, unfollow, watch, unwatch, watch_list, ping"
FINISHED = End(Outcome.FINISHED, None, {"total_tokens": 9})


@pytest.fixture
def page(web: WebProcess, ada: FlaskClient, conversation: str) -> Iterator[SocketClient]:  # noqa: ARG001
    """Ada's socket; she has a cookie since she has a conversation."""
    with connected(web.url, cookie_of(ada)) as page:
        yield page


# --- streams


def test_the_server_greets_with_its_heartbeat(page: SocketClient) -> None:
    assert page.hello == {"type": "hello", "heartbeat": 20.0}


def test_a_follower_sees_a_queued_answer_begin_grow_and_end(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    page.say(type="follow", stream=stream)
    queued = {"type": "following", "stream": stream, "epoch": None, "index": 0, "state": "queued"}
    assert page.receive() == queued
    writer = begin(stream)
    assert page.receive_until("following")[-1] == {**queued, "epoch": writer.epoch, "state": "running"}
    writer.append(Kind.REASONING, "Holes. ")
    place = {"stream": stream, "epoch": writer.epoch}
    assert page.receive_until("chunks")[-1] == {
        "type": "chunks",
        **place,
        "start": 0,
        "stop": 1,
        "reasoning": "Holes. ",
    }
    write(writer, "Lace")
    assert page.receive_until("chunks")[-1] == {"type": "chunks", **place, "start": 1, "stop": 2, "text": "Lace"}
    writer.end(FINISHED)
    ending = {"outcome": "finished", "reason": None, "usage": {"total_tokens": 9}}
    assert page.receive_until("end")[-1] == {"type": "end", **place, "start": 2, "stop": 3, **ending}


def test_a_note_is_shown_to_who_is_there_and_to_who_comes_and_not_once_there_is_text(
    web: WebProcess, ada: FlaskClient, page: SocketClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    page.say(type="follow", stream=stream)
    writer = begin(stream)
    writer.note("The model is loading…")
    place = {"type": "chunks", "stream": stream, "epoch": writer.epoch}
    noted = {**place, "start": 0, "stop": 1, "note": "The model is loading…"}
    assert page.receive_until("chunks")[-1] == noted
    with connected(web.url, cookie_of(ada)) as late:
        late.say(type="follow", stream=stream)
        assert late.receive_until("chunks")[-1] == noted
    writer.note("")
    assert page.receive_until("chunks")[-1] == {**place, "start": 1, "stop": 2, "note": ""}
    write(writer, "Lace")
    assert page.receive_until("chunks")[-1] == {**place, "start": 2, "stop": 3, "text": "Lace"}
    with connected(web.url, cookie_of(ada)) as later:
        later.say(type="follow", stream=stream)
        assert later.receive_until("chunks")[-1] == {**place, "start": 0, "stop": 3, "text": "Lace"}


def test_whoever_comes_back_gets_exactly_what_is_missing_in_one_frame_and_then_the_tail(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, *(f"word{number} " for number in range(20)))
    with connected(web.url, cookie_of(ada)) as page:
        page.say(type="follow", stream=stream, position=f"{writer.epoch}:7")
        page.copy.epoch, page.copy.next_index = writer.epoch, 7
        page.receive_text("".join(f"word{number} " for number in range(7, 20)))
        write(writer, "and more")
        writer.end(FINISHED)
        frames = page.receive_until("end")
    assert [(frame["type"], frame["start"], frame["stop"]) for frame in frames] == [("chunks", 20, 21), ("end", 21, 22)]


def test_an_answer_that_ended_while_away_comes_at_once_with_its_end(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, "Lace ", "is ", "air.")
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    page.say(type="follow", stream=stream)
    frames = page.receive_until("end")
    assert [frame["type"] for frame in frames] == ["following", "chunks", "end"]
    assert (frames[0]["state"], frames[1]["stop"], page.text) == ("ended", 3, "Lace is air.")


def test_what_is_much_comes_compressed_to_who_takes_it_so_and_is_the_same_text(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    text = "Lace is holes, tied together; and of holes there is no end. " * 500
    writer = begin(stream)
    write(writer, text)
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    took = []
    for compression in ("deflate", None):
        with connected(web.url, cookie_of(ada), compression=compression) as page:
            before = page.received
            page.say(type="follow", stream=stream)
            page.receive_until("end")
            assert page.text == text
            took.append(page.received - before)
    compressed, plain = took
    assert plain > len(text) > 10 * compressed


def test_a_smaller_window_than_ours_is_not_taken_up(web: WebProcess, ada: FlaskClient) -> None:
    new(ada)
    offer = "permessage-deflate; server_max_window_bits=9"
    with connected(web.url, cookie_of(ada), compression=None, **{"Sec-WebSocket-Extensions": offer}) as page:
        assert page.connection.response is not None
        assert "Sec-WebSocket-Extensions" not in page.connection.response.headers


@pytest.mark.parametrize("position", ["", "another7epoch:2"])
def test_without_a_position_of_this_text_it_comes_from_its_beginning(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter], position: str
) -> None:
    write(begin(stream), "Lace ", "is ", "air.")
    page.say(type="follow", stream=stream, position=position or None)
    page.receive_text("Lace is air.")


def test_a_position_beyond_the_text_is_served_from_where_the_text_is(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, "Lace ", "is ")
    page.say(type="follow", stream=stream, position=f"{writer.epoch}:1000")
    assert page.receive()["index"] == 2
    write(writer, "air.")
    assert (frame := page.receive())["type"] == "chunks"
    assert (frame["start"], frame["text"]) == (2, "air.")


def test_streams_that_have_ended_do_not_count_among_those_that_are_followed(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    for _ in range(101):
        page.say(type="follow", stream=stream)
        page.receive_until("end")
        page.copy.clear()


def test_one_socket_carries_many_streams(
    page: SocketClient, ada: FlaskClient, begin: Callable[[str], StreamWriter]
) -> None:
    texts = {}
    for number in range(5):
        conversation = str(ada.post("/api/conversations").get_json()["id"])
        stream = str(send(ada, conversation)["stream"])
        texts[stream] = f"answer {number}"
        write(begin(stream), texts[stream])
        page.say(type="follow", stream=stream)
    received: dict[str, str] = {}
    while received != texts:
        if (frame := page.receive())["type"] == "chunks":
            received[frame["stream"]] = received.get(frame["stream"], "") + frame["text"]


def test_following_again_begins_again_and_unfollowing_ends_it(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, "Lace ")
    page.say(type="follow", stream=stream)
    page.receive_text("Lace ")
    page.say(type="follow", stream=stream, position=page.position)
    assert page.receive() == {
        "type": "following", "stream": stream, "epoch": writer.epoch, "index": 1, "state": "running",
    }  # fmt: skip
    page.say(type="unfollow", stream=stream)
    page.say(type="ping")
    assert page.receive() == {"type": "pong"}
    write(writer, "is ")
    page.say(type="ping")
    assert page.receive() == {"type": "pong"}, "nothing of the stream came before it"


def test_what_is_foreign_and_what_does_not_exist_are_equally_unknown(
    web: WebProcess, eve: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    write(begin(stream), "private")
    with connected(web.url, cookie_of(eve)) as page:
        for name in (stream, "st_never"):
            page.say(type="follow", stream=name)
            frame = page.receive()
            assert (frame["type"], frame["stream"], frame["problem"]["status"]) == ("gone", name, 404)
    with connected(web.url, cookie="") as page:
        page.say(type="follow", stream=stream)
        assert page.receive()["problem"]["status"] == 404


def test_a_stream_that_has_expired_is_gone_with_410(
    page: SocketClient, stream: str, begin: Callable[[str], StreamWriter], services: Services
) -> None:
    writer = begin(stream)
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    services.settler.settle(stream)
    services.redis.delete(keys.chunks(stream), keys.state(stream))
    page.say(type="follow", stream=stream)
    frame = page.receive()
    assert (frame["type"], frame["problem"]["status"]) == ("gone", 410)


# --- news


def test_a_page_hears_at_once_of_what_it_has_not_seen_and_later_of_every_change(
    page: SocketClient, ada: FlaskClient, conversation: str
) -> None:
    ada.patch(f"/api/conversations/{conversation}", json={"title": "Between the GET and the socket"})
    version = ada.get(f"/api/conversations/{conversation}").get_json()["version"]
    page.say(type="watch", conversation=conversation, version=version - 1)
    assert page.receive() == {"type": "news", "conversation": conversation, "version": version}
    ada.patch(f"/api/conversations/{conversation}", json={"title": "Later"})
    assert page.receive() == {"type": "news", "conversation": conversation, "version": version + 1}
    sent = send(ada, conversation)
    assert page.receive()["version"] == sent["version"]
    page.say(type="unwatch", conversation=conversation)
    page.say(type="ping")
    assert page.receive() == {"type": "pong"}
    ada.patch(f"/api/conversations/{conversation}", json={"title": "Nobody listens"})
    page.say(type="ping")
    assert page.receive() == {"type": "pong"}


def test_news_that_was_published_while_nobody_was_subscribed_is_told_after_the_reconnection(
    page: SocketClient, conversation: str, services: Services, ada: FlaskClient
) -> None:
    version = ada.get(f"/api/conversations/{conversation}").get_json()["version"]
    page.say(type="watch", conversation=conversation, version=version)
    wait_until(lambda: services.redis.pubsub_shardchannels(keys.conversation(conversation)), what="the subscription")
    with ada.session_transaction() as session:
        changed = services.store.change(session["owner"], conversation, title="Told to nobody")  # without a hint
    services.redis.client_kill_filter(_type="pubsub")
    assert page.receive_until("news")[-1]["version"] == changed.version


@pytest.mark.parametrize(
    "hint", [b"9" * 5000, b"99999999999999999999", b"\xff", b"", b"changed", b"viewers", b"-1", b"1e9"]
)
def test_a_hint_that_is_no_version_hides_no_later_one(
    page: SocketClient, services: Services, ada: FlaskClient, conversation: str, hint: bytes
) -> None:
    version = ada.get(f"/api/conversations/{conversation}").get_json()["version"]
    page.say(type="watch", conversation=conversation, version=version)
    wait_until(lambda: services.redis.pubsub_shardchannels(keys.conversation(conversation)), what="the subscription")
    services.redis.spublish(keys.conversation(conversation), hint)
    ada.patch(f"/api/conversations/{conversation}", json={"title": "Later"})
    assert page.receive() == {"type": "news", "conversation": conversation, "version": version + 1}


def test_a_list_is_told_of_whatever_changes_in_it_by_whomever(
    page: SocketClient, web: WebProcess, ada: FlaskClient, eve: FlaskClient, conversation: str
) -> None:
    link = share(ada, conversation, may_ask=True)
    page.say(type="watch_list")
    assert page.receive() == {"type": "list"}  # what happened before is read once more
    eve.post("/api/conversations")  # now, while nothing else is under way: the sweep tells of what it settles, too
    page.say(type="ping")
    assert page.receive() == {"type": "pong"}, "what is Eve's is nobody else's business"
    steps: list[Callable[[], object]] = [
        lambda: ada.post("/api/conversations"),
        lambda: ada.patch(f"/api/conversations/{conversation}", json={"title": "Lace"}),
        lambda: eve.post(f"/api/shares/{link}/messages", json={"content": "Why?"}),
        lambda: ada.delete(f"/api/conversations/{conversation}"),
        lambda: ada.post(f"/api/conversations/{conversation}/restore"),
    ]
    for step in steps:
        step()
        assert page.receive_until("list")
        page.say(type="ping")
        page.receive_until("pong")
    ada.delete("/api/me")
    page.receive_until("list")
    with connected(web.url, cookie_of(eve), share=share(eve, eve_s := new(eve))) as visitor:
        visitor.say(type="watch_list")
        eve.patch(f"/api/conversations/{eve_s}", json={"title": "Mine"})
        visitor.say(type="ping")
        assert visitor.receive() == {"type": "pong"}


def test_a_list_is_told_after_a_reconnection_to_redis(page: SocketClient, services: Services) -> None:
    page.say(type="watch_list")
    page.receive()
    services.redis.client_kill_filter(_type="pubsub")
    assert page.receive() == {"type": "list"}


def new(client: FlaskClient) -> str:
    return str(client.post("/api/conversations").get_json()["id"])


def test_a_conversation_that_is_not_yours_is_not_watched(web: WebProcess, eve: FlaskClient, conversation: str) -> None:
    with connected(web.url, cookie_of(eve)) as page:
        for name in (conversation, "never"):
            page.say(type="watch", conversation=name, version=0)
            refused = page.receive()
            assert (refused["conversation"], refused["problem"]["status"]) == (name, 404)


# --- clients that err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("hello", "Invalid JSON: expected value at line 1 column 1"),
        ('{"type": "ping"', "Invalid JSON: EOF while parsing an object at line 1 column 15"),
        (b"\xff\xfe", "Invalid JSON: expected value at line 1 column 1"),
        ("[]", "Input should be an object"),
        ("{}", f"type is missing; expected one of {TYPES}"),
        (
            '{"type": "dance"}',
            "type 'dance' is unknown; expected one of follow, unfollow, watch, unwatch, watch_list, ping",
        ),
        ('{"type": "follow"}', "follow.stream: Field required"),
        ('{"type": "follow", "stream": ""}', "follow.stream: String should have at least 1 character"),
        ('{"type": "follow", "stream": "s", "color": "red"}', "follow.color is unknown"),
        (
            '{"type": "watch", "conversation": "c", "version": -1}',
            "watch.version: Input should be greater than or equal to 0",
        ),
        (
            '{"type": "watch", "conversation": "c", "version": 1, "remarks": 99999999999}',
            "watch.remarks: Input should be less than or equal to 2147483647",
        ),
        (json.dumps({"type": "\N{PARTY POPPER}" * 40}), "type '" + "\N{PARTY POPPER}" * 29),
    ],
)
def test_a_frame_that_is_none_of_ours_ends_the_socket_with_1007_and_says_why(
    page: SocketClient, data: str | bytes, said: str
) -> None:
    page.connection.send(data)
    assert page.closed() == (1007, said)


def test_a_client_that_says_more_than_can_be_answered_is_heard_no_faster_than_that(
    web: WebProcess, ada: FlaskClient
) -> None:
    """Each of these asks the database. What is not answered yet is not read, so that it waits at the client's."""
    new(ada)
    with closing(SlowSocket(web.port, cookie_of(ada), patience=0.5)) as client, pytest.raises(TimeoutError):
        say_without_end(client, type="watch", conversation="c" * 64, version=0)


def say_without_end(client: SlowSocket, **frame: object) -> None:
    while True:
        client.say_frame(**frame)


def test_a_client_that_answers_no_ping_is_given_up_with_1008(
    redis_server: RedisServer, database_url: str, ada: FlaskClient, tmp_path: Path
) -> None:
    new(ada)
    with running_web(
        redis_url=redis_server.url,
        database_url=database_url,
        log=tmp_path / "web.log",
        environment={"HEARTBEAT_INTERVAL": "1"},
    ) as web:
        with closing(SlowSocket(web.port, cookie_of(ada))) as silent:
            events: list[Event] = []
            while not any(isinstance(event, CloseConnection) for event in events):
                events += silent.read(4096)
        assert isinstance(events[-1], CloseConnection)
        assert (events[-1].code, events[-1].reason) == (1008, "No answer to pings.")
        assert sum(isinstance(event, Ping) for event in events) == 2
        with connected(web.url, cookie_of(ada)) as answering:
            for _ in range(4):
                assert json.loads(answering.connection.recv(60)) == {"type": "heartbeat"}


def test_a_frame_that_is_too_large_once_it_is_unpacked_ends_the_socket_with_1009(page: SocketClient) -> None:
    page.connection.send('{"type": "ping"' + " " * 10_000_000 + "}")
    assert page.closed()[0] == 1009


def test_a_frame_that_is_too_large_ends_the_socket_with_1009(page: SocketClient) -> None:
    page.say(type="follow", stream="s" * 17_000)
    assert page.closed()[0] == 1009


def test_bytes_that_are_no_frames_end_the_socket_with_1002(page: SocketClient) -> None:
    page.connection.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert page.closed()[0] == 1002


@pytest.mark.parametrize("position", ["7", "abc", "e p:1", "abc:-1", "abc:x", "é:1"])
def test_a_position_that_is_none_is_refused_with_one_that_would_be_right(
    page: SocketClient, stream: str, position: str
) -> None:
    page.say(type="follow", stream=stream, position=position)
    refused = page.receive()
    assert (refused["stream"], refused["problem"]["status"]) == (stream, 400)
    assert "expected epoch:index, for example 3f9ac2b17d04e586:42" in refused["problem"]["detail"]
    page.say(type="ping")
    assert page.receive() == {"type": "pong"}, "the socket stays open"


def test_the_hundred_and_first_stream_and_conversation_are_refused(page: SocketClient, ada: FlaskClient) -> None:
    created = [ada.post("/api/conversations").get_json() for _ in range(101)]
    for conversation in created:
        page.say(type="watch", conversation=conversation["id"], version=conversation["version"])
    refused = page.receive()
    assert (refused["conversation"], refused["problem"]["status"]) == (created[-1]["id"], 429)
    for conversation in created:
        page.say(type="follow", stream=send(ada, conversation["id"])["stream"])
    assert page.receive_until("problem")[-1]["problem"]["status"] == 429


def test_a_page_of_another_site_gets_no_socket(web: WebProcess, ada: FlaskClient, conversation: str) -> None:  # noqa: ARG001
    for origin in ("https://evil.example", "null", "", "http://[", "http://]:x", "é"):
        status, problem = get(web, {**HANDSHAKE, "Cookie": cookie_of(ada), "Origin": origin})
        assert (status, problem["status"]) == (403, 403), origin
    with connected(web.url, cookie_of(ada), Origin=web.url) as page:
        assert page.hello["type"] == "hello"


@pytest.mark.parametrize(
    "wrong",
    [
        {"Sec-WebSocket-Key": "eA=="},
        {"Sec-WebSocket-Key": "é"},
        {"Sec-WebSocket-Version": "12"},
        {"Connection": "Upgrade, é"},
        {"Connection": "close"},
    ],
)
def test_a_handshake_that_is_none_is_refused(web: WebProcess, wrong: dict[str, str]) -> None:
    assert get(web, HANDSHAKE | wrong)[0] == 400


@pytest.mark.parametrize("host", ["", "é", "xn--\xff", "a" * 70 + ".example"])
def test_a_handshake_for_a_host_that_cannot_be_read_is_refused(web: WebProcess, host: str) -> None:
    assert get(web, HANDSHAKE | {"Host": host})[0] == 400


def test_a_subprotocol_that_cannot_be_read_is_passed_over_as_any_other(web: WebProcess) -> None:
    with connected(web.url, **{"Sec-WebSocket-Protocol": "\xa0"}) as page:
        assert page.hello["type"] == "hello"


def test_a_plain_request_is_told_that_this_is_a_websocket(web: WebProcess) -> None:
    status, problem = get(web, {})
    assert (status, problem["title"]) == (426, "Upgrade Required")


def get(web: WebProcess, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
    with closing(HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request("GET", "/api/socket", headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


# --- the process


@pytest.fixture
def own_web(redis_server: RedisServer, tmp_path: Path) -> Iterator[tuple[WebProcess, sqlite3.Connection]]:
    """A gunicorn with a database of its own, which may be broken."""
    database_url = migrated(new_sqlite(tmp_path))
    log = tmp_path / "web.log"
    with (
        running_web(redis_url=redis_server.url, database_url=database_url, log=log) as web,
        closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)) as database,
    ):
        yield web, database


def test_a_database_that_is_away_ends_the_socket_with_1013(
    own_web: tuple[WebProcess, sqlite3.Connection], eve: FlaskClient
) -> None:
    web, database = own_web
    with connected(web.url, cookie_of(eve)) as page:
        database.execute("DROP TABLE messages")
        page.say(type="follow", stream="s")
        assert page.closed() == (1013, "The database does not answer at the moment. Come back.")
    wait_until(lambda: "a socket was closed, because the database does not answer" in web.log.read_text())


def test_a_fault_of_the_server_ends_the_socket_with_1011_and_is_in_its_log(
    own_web: tuple[WebProcess, sqlite3.Connection],
) -> None:
    web, database = own_web
    visitor = Visitor(web.url)
    stream = visitor.ask("broken", {}).stream
    database.execute("UPDATE messages SET status = 'dancing'")
    with connected(web.url, visitor.cookie) as page:
        page.say(type="follow", stream=stream)
        assert page.closed() == (1011, "Something went wrong in the server.")
    wait_until(lambda: "a WebSocket handler failed" in web.log.read_text())
    with connected(web.url, visitor.cookie) as page:
        assert page.hello["type"] == "hello", "the process serves on"


def wait_of(closed: tuple[int, str]) -> int:
    """In how many milliseconds to come back, of a server that restarts."""
    code, reason = closed
    told = re.fullmatch(r"The server restarts\. Come back in (\d+) ms\.", reason)
    assert code == 1012
    assert told, reason
    return int(told[1])


def test_a_process_that_leaves_tells_every_socket_to_come_back_at_a_moment_of_its_own(
    redis_server: RedisServer,
    database_url: str,
    eve: FlaskClient,
    tmp_path: Path,
) -> None:
    log = tmp_path / "web.log"
    with (
        running_web(redis_url=redis_server.url, database_url=database_url, log=log) as web,
        connected(web.url, cookie_of(eve)) as one,
        connected(web.url, cookie_of(eve)) as two,
    ):
        web.process.send_signal(signal.SIGTERM)
        waits = [wait_of(one.closed()), wait_of(two.closed())]
        assert sorted(wait // 1000 for wait in waits) == [0, 1]  # one in the first second, one in the second
        with suppress(OSError, InvalidHandshake), connected(web.url, cookie_of(eve)) as late:  # if it is still let in
            assert wait_of(late.closed()) < 2000
        assert web.process.wait(60) == 0
    assert "Traceback" not in log.read_text()
