"""A stream on its own URL: as JSON, and as server-sent events that resume (PROTOCOL.md, section 3)."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from streams import End, Kind, Outcome, StreamWriter, keys
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess, running_web
from tests.support.writing import write
from tests.webapp.people import cookie_of
from webapp.services import Services

pytestmark = pytest.mark.timeout(400)

Json = dict[str, Any]
FINISHED = End(Outcome.FINISHED, None, {"total_tokens": 9})


class Events:
    """An open response of server-sent events."""

    def __init__(self, response: HTTPResponse) -> None:
        self.response = response
        self.comments = 0

    def receive(self) -> tuple[str, Json]:
        """The next event, but for its place in the queue, which is told once a second. Raises EOFError at the end."""
        while (event := self.receive_any())[1]["type"] == "queue":
            pass
        return event

    def receive_any(self) -> tuple[str, Json]:
        """The id and the data of the next event that has some. Raises EOFError at the end."""
        name = position = data = ""
        while line := self.response.readline().decode():
            field, _, value = line.rstrip("\n").partition(": ")
            match field:
                case "event":
                    name = value
                case "id":
                    position = value
                case "data":
                    data = value
                case "" if value:
                    self.comments += 1
                case "" if data:
                    frame = json.loads(data)
                    assert frame["type"] == name
                    return position, frame
        raise EOFError


@contextmanager
def opened(web: WebProcess, stream: str, cookie: str, query: str = "", **headers: str) -> Iterator[HTTPResponse]:
    with closing(HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        sent = {"Accept": "text/event-stream", "Cookie": cookie, **{n.replace("_", "-"): v for n, v in headers.items()}}
        connection.request("GET", f"/api/streams/{stream}{query}", headers=sent)
        yield connection.getresponse()


def test_events_come_as_they_happen_each_with_the_position_after_it(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    with opened(web, stream, cookie_of(ada)) as response:
        events = Events(response)
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert events.receive() == ("", following(stream, None, "queued"))
        writer = begin(stream)
        epoch = writer.epoch
        assert events.receive() == (f"{epoch}:0", following(stream, epoch, "running"))
        place = {"stream": stream, "epoch": epoch}
        for index, delta in enumerate(["Lace ", "is\n\nmostly ", "\u2028air."]):
            write(writer, delta)
            chunks = {"type": "chunks", **place, "start": index, "stop": index + 1, "text": delta}
            assert events.receive() == (f"{epoch}:{index + 1}", chunks)
        writer.end(FINISHED)
        position, frame = events.receive()
        assert (position, frame["type"], frame["outcome"]) == (f"{epoch}:4", "end", "finished")
        with pytest.raises(EOFError):
            events.receive()


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_reader_that_was_cut_off_goes_on_from_its_last_event(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter], how: str
) -> None:
    writer = begin(stream)
    write(writer, "Lace ", "is ")
    with opened(web, stream, cookie_of(ada)) as response:
        events = Events(response)
        events.receive()
        position, frame = events.receive()
        assert frame["text"] == "Lace is "
    write(writer, "mostly ", "air.")
    resumed = {"Last_Event_ID": position} if how == "header" else {}
    query = f"?position={position}" if how == "query" else ""
    with opened(web, stream, cookie_of(ada), query, **resumed) as response:
        events = Events(response)
        assert events.receive()[1]["index"] == 2
        assert events.receive()[1]["text"] == "mostly air."


def test_who_has_all_of_it_is_told_to_stop_coming_back(
    web: WebProcess, ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, "air")
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    with opened(web, stream, cookie_of(ada), Last_Event_ID=f"{writer.epoch}:2") as response:
        assert response.status == 204
    with opened(web, stream, cookie_of(ada), Last_Event_ID=f"{writer.epoch}:1") as response:
        events = Events(response)
        assert [events.receive()[1]["type"] for _ in range(2)] == ["following", "end"]


def test_an_idle_stream_gives_signs_of_life_and_a_process_that_leaves_ends_it(
    redis_server: RedisServer,
    database_url: str,
    ada: FlaskClient,
    stream: str,
    begin: Callable[[str], StreamWriter],
    tmp_path: Path,
) -> None:
    writer = begin(stream)
    environment = {"HEARTBEAT_INTERVAL": "0.1"}
    log = tmp_path / "web.log"
    with (
        running_web(redis_url=redis_server.url, database_url=database_url, log=log, environment=environment) as web,
        opened(web, stream, cookie_of(ada)) as response,
    ):
        events = Events(response)
        events.receive()
        while events.comments < 3:
            assert response.readline() in (b": heartbeat\n", b"\n")
            events.comments += 1
        write(writer, "Lace")
        assert events.receive()[1]["text"] == "Lace"
        assert web.terminate() == 0
        # An EventSource comes back when it was told to.
        assert re.search(rb"^retry: \d{1,4}$", response.read(), re.MULTILINE)


def test_a_plain_request_reads_what_is_stored_from_its_position_on(
    ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    def read(query: str = "") -> Json:
        response = ada.get(f"/api/streams/{stream}{query}")
        assert response.status_code == 200
        return dict(response.get_json())

    nothing = {"stream": stream, "start": 0, "text": "", "reasoning": "", "end": None}
    assert read() == {**nothing, "epoch": None, "stop": 0, "note": None, "state": "queued"}
    writer = begin(stream)
    writer.note("The model is loading…")
    wait_until(lambda: not writer.is_pending)
    noted = {**nothing, "epoch": writer.epoch, "stop": 1, "note": "The model is loading…", "state": "running"}
    assert read() == noted
    writer.append(Kind.REASONING, "Holes. ")
    write(writer, "Lace ", "is ", "air.")
    place = {"stream": stream, "epoch": writer.epoch, "state": "running", "stop": 5, "note": None, "end": None}
    assert read() == {**place, "start": 0, "text": "Lace is air.", "reasoning": "Holes. "}
    assert read(f"?position={writer.epoch}:3") == {**place, "start": 3, "text": "is air.", "reasoning": ""}
    assert read("?position=another7epoch:2")["start"] == 0
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    ended = read(f"?position={writer.epoch}:5")
    assert (ended["state"], ended["start"], ended["stop"]) == ("ended", 5, 6)
    assert ended["end"] == {"outcome": "finished", "reason": None, "usage": {"total_tokens": 9}}


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_what_cannot_be_served_says_so_either_way(
    ada: FlaskClient,
    eve: FlaskClient,
    stream: str,
    begin: Callable[[str], StreamWriter],
    services: Services,
    accept: str,
) -> None:
    headers = {"Accept": accept}
    wrong = ada.get(f"/api/streams/{stream}?position=7", headers=headers)
    assert wrong.status_code == 400
    assert "expected epoch:index, for example 3f9ac2b17d04e586:42" in wrong.get_json()["detail"]
    wrong = ada.get(f"/api/streams/{stream}", headers={**headers, "Last-Event-ID": "x"})
    assert wrong.status_code == 400
    assert eve.get(f"/api/streams/{stream}", headers=headers).status_code == 404
    assert ada.get("/api/streams/st_never", headers=headers).status_code == 404

    writer = begin(stream)
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    services.settler.settle(stream)
    services.redis.delete(keys.chunks(stream), keys.state(stream))
    gone = ada.get(f"/api/streams/{stream}", headers=headers)
    assert gone.status_code == 410
    assert gone.get_json()["detail"] == "This stream is kept no longer. The saved message is in its conversation."


def test_a_stream_that_is_in_flight_but_missing_is_to_be_asked_for_again(
    ada: FlaskClient, stream: str, services: Services
) -> None:
    services.redis.delete(keys.state(stream))
    response = ada.get(f"/api/streams/{stream}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")


def test_a_position_beyond_an_ended_stream_is_served_its_end(
    ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(stream)
    write(writer, "Lace")
    writer.end(FINISHED)
    assert writer.wait_flushed(30)
    for index in (2, 77):
        read = ada.get(f"/api/streams/{stream}?position={writer.epoch}:{index}").get_json()
        assert (read["start"], read["stop"], read["end"]["outcome"]) == (1, 2, "finished")


def following(stream: str, epoch: str | None, state: str) -> Json:
    return {"type": "following", "stream": stream, "epoch": epoch, "index": 0, "state": state}


# --- proving a text


def test_a_digest_proves_the_text_up_to_a_position_and_the_whole_when_it_is_saved(
    ada: FlaskClient, stream: str, begin: Callable[[str], StreamWriter], services: Services
) -> None:
    def digest(query: str = "") -> Json:
        return dict(ada.get(f"/api/streams/{stream}/digest{query}").get_json())

    def sha256(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    writer = begin(stream)
    writer.append(Kind.REASONING, "Hm. ")
    write(writer, "naïve ", "🙂 ", "end")
    wait_until(lambda: digest()["index"] == 4, what="the text to be stored")
    whole = {"stream": stream, "epoch": writer.epoch, "index": 4, "sha256": sha256("naïve 🙂 end")}
    assert digest() == whole
    part = digest(f"?position={writer.epoch}:3")
    assert (part["index"], part["sha256"]) == (3, sha256("naïve 🙂 "))
    assert digest(f"?position={writer.epoch}:0")["sha256"] == sha256("")
    assert digest(f"?position={writer.epoch}:99") == whole
    assert digest("?position=ffffffffffffffff:1")["status"] == 409
    writer.end(FINISHED)
    assert writer.wait_flushed(60)
    services.settler.settle(stream)
    services.redis.delete(keys.chunks(stream), keys.state(stream))  # its retention is over
    assert digest() == {"stream": stream, "epoch": None, "index": None, "sha256": whole["sha256"]}


def test_a_digest_is_for_whoever_may_read_the_text(eve: FlaskClient, stream: str) -> None:
    assert eve.get(f"/api/streams/{stream}/digest").status_code == 404
