"""A title for a conversation: what is asked, what is made of the reply, and that nothing waits for it."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rq.command import send_stop_job_command
from rq.job import JobStatus

from conversations import ConversationRecord
from conversations.text import SHORT_TITLE_LIMIT
from tests.support.scripted_model import Json
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import OWNER, PATIENCE, Bench
from workers.titles import title_from

pytestmark = pytest.mark.timeout(300)  # the first test of a module also waits for the worker to start

QUESTION = "Why is the sky blue at noon and red in the evening, and what has the sun to do with it?"
PROVISIONAL = "Why is the sky blue at noon and red in the evening, and…"
ANSWER = {"deltas": ["Scattering."]}


@pytest.fixture(scope="module", autouse=True)
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    limits = {"FIRST_TOKEN_TIMEOUT": "10"}
    with bench.worker(TITLE_MODEL="", **limits) as worker:
        yield worker


def conversation(bench: Bench, stream_id: str) -> ConversationRecord:
    return bench.store.conversation(OWNER, bench.message(stream_id).conversation_id)


def wait_titled(bench: Bench, stream_id: str, title: str) -> None:
    bench.wait_job(stream_id, JobStatus.FINISHED)
    assert conversation(bench, stream_id).title == title


def test_the_model_that_answered_is_asked_once_more_for_a_title(bench: Bench) -> None:
    before = len(bench.model.requests())
    bench.model.script(ANSWER, {"deltas": [{"reasoning": "A short one."}, "Title: “The ", "colour of the sky.”\n"]})
    stream_id = bench.send(content=QUESTION, model="the-model")
    wait_titled(bench, stream_id, "The colour of the sky")
    _, asked = bench.model.requests()[before:]
    [message] = asked["body"]["messages"]
    assert asked["body"]["model"] == "the-model"
    assert QUESTION in message["content"]
    assert "Scattering." in message["content"]


def test_answer_and_news_come_first_and_the_title_is_news_of_its_own(bench: Bench) -> None:
    heard: list[int] = []
    bench.model.script({"deltas": ["Scattering.", {"wait": "answer"}]}, {"hold": "title", "deltas": ["Blue skies"]})
    stream_id = bench.send(content=QUESTION)
    with bench.watching(bench.message(stream_id).conversation_id, heard.append):
        bench.model.release("answer")
        bench.wait_saved(stream_id)
        saved = conversation(bench, stream_id)
        assert (saved.title, saved.generating) == (PROVISIONAL, None)
        wait_until(lambda: saved.version in heard, PATIENCE, "the answer's news")
        bench.model.release("title")
        wait_until(lambda: saved.version + 1 in heard, PATIENCE, "the title's news")
    wait_titled(bench, stream_id, "Blue skies")


def test_a_person_who_names_it_meanwhile_keeps_their_title(bench: Bench) -> None:
    bench.model.script(ANSWER, {"hold": "meanwhile", "deltas": ["Blue skies"]})
    asked = len(bench.model.requests())
    stream_id = bench.send(content=QUESTION)
    wait_until(lambda: len(bench.model.requests()) == asked + 2, PATIENCE, "the second request")
    bench.store.change(OWNER, bench.wait_saved(stream_id).conversation_id, title="Mine")
    bench.model.release("meanwhile")
    wait_titled(bench, stream_id, "Mine")


@pytest.mark.parametrize(
    "script",
    [
        {"status": 401, "error": {"message": "bad key"}},
        {"cut": True},
        {"deltas": ["Half a ti", {"eof": True}]},
        {"deltas": [{"raw": "data: {nonsense\n\n"}]},
        {"deltas": []},
        {"deltas": ["word"] * 1000 + [{"silence": True}]},  # a paragraph, and it is not read to its end
        {"hold": "for ever"},  # longer than FIRST_TOKEN_TIMEOUT
    ],
)
def test_without_a_title_the_first_words_stay_and_the_answer_is_as_good(
    bench: Bench, worker: WorkerProcess, script: Json
) -> None:
    bench.model.script(ANSWER, script)
    stream_id = bench.send(content=QUESTION)
    wait_titled(bench, stream_id, PROVISIONAL)
    assert bench.message(stream_id).content == "Scattering."
    lines = [line for line in worker.log.splitlines() if "no title" in line and stream_id in line]
    assert len(lines) == 1


@pytest.mark.parametrize("script", [{"deltas": ["So", {"eof": True}]}, {"deltas": [{"wait": "stop"}]}])
def test_an_answer_that_did_not_finish_names_nothing(bench: Bench, script: Json) -> None:
    asked = len(bench.model.requests())
    stream_id = bench.send(script, content=QUESTION)
    wait_until(lambda: len(bench.model.requests()) > asked, PATIENCE)
    bench.control.ask_cancel(stream_id)
    bench.wait_saved(stream_id)
    wait_until(lambda: bench.job(stream_id).is_finished or bench.job(stream_id).is_failed, PATIENCE)
    assert len(bench.model.requests()) == asked + 1


def test_rqs_stop_ends_the_wish_for_a_title_and_not_the_answer(bench: Bench) -> None:
    bench.model.script(ANSWER, {"hold": "nobody"})
    asked = len(bench.model.requests())
    stream_id = bench.send(content=QUESTION)
    wait_until(lambda: len(bench.model.requests()) == asked + 2, PATIENCE, "the second request")
    send_stop_job_command(bench.redis, stream_id)
    wait_titled(bench, stream_id, PROVISIONAL)
    bench.wait_disconnected()


HOSTILE = {
    "html": ("<script>alert(1)</script> <b>Hello</b>", "alert(1) Hello"),
    "control characters": ("\x1b[31mRed\x00alert\r\x07", "[31mRed alert"),
    "text turned around": ("gpj\u202eexe.", "gpjexe"),
    "10,000 characters": ("x" * 10_000, None),
    "nothing": ("", None),
    "blanks": (" \n\t\n", None),
    "marks only": ("**\n---\n```", None),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_words_make_a_harmless_title_or_none(case: str) -> None:
    words, title = HOSTILE[case]
    assert title_from(words) == title


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("Blue skies", "Blue skies"),
        ('\n\n"Blue skies."\nIt says it all.', "Blue skies"),
        ("**Title: Blue skies**", "Blue skies"),
        ("# Blue *skies*", "Blue skies"),
        ("Titel:\n„Blauer Himmel“", "Blauer Himmel"),
        ("「空はなぜ青い」。", "空はなぜ青い"),
        ("```\nBlue skies\n```", "Blue skies"),
        ("<think>A title? Blue.</think>\nBlue skies", "Blue skies"),
        ("<think>A title? Bl", None),
        ("[Blue](https://example.org) skies", "Blue skies"),
        ("Why is C# so snake_case?", "Why is C# so snake_case?"),
        ("word " * 20, "word " * 11 + "word…"),
        ("a paragraph " * 20, None),
    ],
)
def test_a_title_is_what_is_left_without_its_decoration(words: str, title: str | None) -> None:
    assert title_from(words) == title


@given(st.text(st.characters(codec=None)))
def test_whatever_comes_fits_its_line(words: str) -> None:
    title = title_from(words)
    assert title is None or 0 < len(title) <= SHORT_TITLE_LIMIT
    assert title is None or json.loads(json.dumps(title)) == " ".join(title.split())
