"""However an answer ends, the page says so in words, keeps the text, and says the same after a refresh."""

import pytest
import redis
from playwright.sync_api import Browser, expect

from tests.browser.stage import Person, ScriptedAnswer, Stack, person_before, web_on, worker_on
from tests.support.scripted_model import Json
from tests.support.waiting import wait_until
from tests.support.writing import die


def test_stop_ends_the_answer_and_the_request_to_the_model(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))

    visit.page.get_by_role("button", name="Stop").click()
    visit.wait_for_status("You stopped this answer.")
    wait_until(lambda: person.requests()[0]["state"] == "disconnected", timeout=120, what="the model to be left alone")
    visit.page.reload()
    visit.wait_for_status("You stopped this answer.")
    visit.wait_for_text(answer.first(10))
    assert len(person.requests()) == 1


def test_an_answer_can_be_stopped_from_any_tab(person: Person, answer: ScriptedAnswer) -> None:
    first = person.visit()
    first.ask("Tell me")
    answer.release(10)
    first.wait_for_text(answer.first(10))
    second = person.visit(first.page.url)
    second.wait_for_text(answer.first(10))
    second.page.get_by_role("button", name="Stop").click()
    for visit in (first, second):
        visit.wait_for_status("You stopped this answer.")
        visit.wait_for_text(answer.first(10))


def test_a_failure_in_mid_answer_keeps_the_text_and_says_why(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Once upon ", "a time ", {"error": {"message": "The model fell asleep."}}]})
    visit = person.visit()
    visit.ask("Tell me")
    status = visit.page.locator(".answer .status")
    expect(status).to_contain_text("This answer failed.")
    words = status.inner_text()
    visit.wait_for_text("Once upon a time ")
    visit.page.reload()
    visit.wait_for_status(words)
    visit.wait_for_text("Once upon a time ")
    assert len(person.requests()) == 1


def test_an_answer_that_was_refused_can_be_tried_again_and_both_versions_stay(person: Person, stack: Stack) -> None:
    stack.model.script({"status": 401, "error": {"message": "Wrong key."}}, {"deltas": ["At ", "last."]})
    visit = person.visit()
    visit.ask("Tell me")
    expect(visit.page.locator(".answer .status")).to_contain_text("This answer failed.")

    visit.page.get_by_role("button", name="Try again").click()
    visit.wait_for_text("At last.")
    visit.wait_for_status("")
    expect(visit.page.locator(".answer .count")).to_have_text("2 of 2")
    visit.page.get_by_role("button", name="Previous version").click()
    expect(visit.page.locator(".answer .status")).to_contain_text("This answer failed.")
    visit.page.get_by_role("button", name="Next version").click()
    visit.wait_for_text("At last.")
    assert len(person.requests()) == 2


CUT_OFF = [
    pytest.param({"deltas": ["Once ", "upon ", {"cut": True}]}, "This answer failed.", id="failed"),
    pytest.param({"deltas": ["Once ", "upon "], "finish_reason": "length"}, "the model's limit", id="at its limit"),
    pytest.param({"deltas": ["Once ", "upon ", {"silence": True}]}, "You stopped this answer.", id="stopped"),
]


@pytest.mark.parametrize(("script", "said"), CUT_OFF)
def test_an_answer_that_was_cut_off_says_why_and_offers_to_go_on_to_try_again_and_to_copy(
    person: Person, stack: Stack, script: Json, said: str
) -> None:
    stack.model.script(script)
    visit = person.visit()
    visit.ask("Tell me")
    visit.wait_for_text("Once upon ")
    if "stopped" in said:
        visit.page.get_by_role("button", name="Stop").click()
    answer = visit.page.locator(".answer")
    expect(answer.locator(".status")).to_contain_text(said)
    for step in ("Continue", "Try again", "Copy what is there"):
        expect(answer.get_by_role("button", name=step)).to_be_visible()

    stack.model.script({"deltas": ["a ", "time."], "gate": "going on"})
    visit.page.evaluate(WATCH_THE_SCREEN)
    answer.get_by_role("button", name="Continue").click()
    expect(answer.locator(".status")).to_have_attribute("data-tone", "busy")
    stack.model.release("going on", 2)
    visit.wait_for_text("Once upon a time.")
    visit.wait_for_status("")
    assert min(visit.page.evaluate("window.lengths")) >= len("Once upon")  # it never left the screen
    expect(answer.locator(".count")).to_have_text("2 of 2")
    visit.page.reload()
    visit.wait_for_text("Once upon a time.")
    assert len(person.requests()) == 2


WATCH_THE_SCREEN = """() => {
  window.lengths = []
  const look = () => {
    window.lengths.push(document.querySelector('.answer .prose')?.textContent.length ?? 0)
    requestAnimationFrame(look)
  }
  look()
}"""


def test_when_its_worker_is_killed_an_answer_is_told_interrupted_and_its_text_never_leaves_the_screen(
    browser: Browser, stack: Stack
) -> None:
    with (
        web_on(stack, RQ_QUEUE="doomed") as port,
        worker_on(stack, RQ_QUEUE="doomed") as worker,
        person_before(browser, stack, port) as person,
        redis.Redis.from_url(stack.redis_url) as client,
    ):
        stack.model.script({"deltas": [*["some words of an answer, "] * 400, {"silence": True}]})
        text = "some words of an answer, " * 400
        visit = person.visit()
        visit.ask("Tell me")
        visit.wait_for_text(text)
        visit.page.evaluate(WATCH_THE_SCREEN)
        worker.kill()
        die(client, visit.stream())
        expect(visit.page.locator(".answer .status")).to_contain_text("This answer was interrupted.")
        visit.wait_for_text(text)
        assert min(visit.page.evaluate("window.lengths")) == len(text)
        visit.page.reload()
        expect(visit.page.locator(".answer .status")).to_contain_text("This answer was interrupted.")
        for step in ("Continue", "Try again", "Copy what is there"):
            expect(visit.page.get_by_role("button", name=step)).to_be_visible()
        visit.wait_for_text(text)
        assert len(person.requests()) == 1
