"""Before the first word, the page says what it waits for."""

import redis
from playwright.sync_api import Browser, expect

from tests.browser.stage import Person, Stack, person_before, web_on, worker_on
from tests.support.visitor import Visitor
from tests.support.writing import die

AWAY = "No answer can begin just now. This one waits, and begins by itself. Should it take too long, it says so here."


def test_who_is_queued_sees_how_many_come_before_and_the_number_goes_down(browser: Browser, stack: Stack) -> None:
    with (
        web_on(stack, RQ_QUEUE="narrow") as port,
        worker_on(stack, RQ_QUEUE="narrow", WORKER_CONCURRENCY="1"),
        person_before(browser, stack, port) as person,
    ):
        others = Visitor(f"http://127.0.0.1:{port}")
        for number in range(3):
            others.ask(f"{number}", {"deltas": ["Mine.", {"wait": "turn"}]})
        visit = person.visit()
        visit.ask('{"deltas": ["At last."]}')
        visit.wait_for_status("Waiting for its turn, 2 before it…")
        stack.model.release("turn")
        visit.wait_for_status("Waiting for its turn, 1 before it…")
        visit.page.reload()
        visit.wait_for_status("Waiting for its turn, 1 before it…")
        stack.model.release("turn")
        visit.wait_for_status("Waiting for its turn, it is next…")
        stack.model.release("turn")
        visit.wait_for_text("At last.")
        visit.wait_for_status("")
        assert len(person.requests()) == 4


def test_who_asks_while_no_worker_is_there_is_told_so_and_when_one_has_come_and_then_the_answer_comes(
    browser: Browser, stack: Stack
) -> None:
    with web_on(stack, RQ_QUEUE="deserted") as port, person_before(browser, stack, port) as person:
        Visitor(f"http://127.0.0.1:{port}").ask("Before", {"deltas": ["Mine.", {"wait": "turn"}]})
        visit = person.visit()
        visit.ask('{"deltas": ["At last."]}')
        visit.wait_for_status(AWAY)
        expect(visit.page.locator(".stage p[aria-live]")).to_have_text(AWAY)
        visit.page.reload()
        visit.wait_for_status(AWAY)
        with worker_on(stack, RQ_QUEUE="deserted", WORKER_CONCURRENCY="1"):
            visit.wait_for_status("Waiting for its turn, it is next…")
            expect(visit.page.locator(".stage p[aria-live]")).to_have_text("Waiting for its turn…")
            stack.model.release("turn")
            visit.wait_for_text("At last.")
            visit.wait_for_status("")
        assert len(person.requests()) == 2


def test_what_waits_while_no_worker_is_there_can_be_stopped_and_no_worker_asks_for_it_then(
    browser: Browser, stack: Stack
) -> None:
    with web_on(stack, RQ_QUEUE="left") as port, person_before(browser, stack, port) as person:
        visit = person.visit()
        visit.ask('{"deltas": ["Too late."]}')
        visit.wait_for_status(AWAY)
        visit.page.get_by_role("button", name="Stop").click()
        visit.wait_for_status("Stopped before the answer began.")
        with worker_on(stack, RQ_QUEUE="left"):
            visit.ask('{"deltas": ["In time."]}')
            visit.wait_for_text("In time.")
            visit.wait_for_status("")
        assert len(person.requests()) == 1


def test_a_model_that_is_loading_is_named_and_then_answers(person: Person, stack: Stack) -> None:
    loading = {"status": 503, "headers": {"Retry-After": "2"}, "error": {"message": "Loading model"}}
    stack.model.script(loading, {"hold": "loaded", "deltas": [{"wait": "first word"}, "Here ", "I am."]})
    visit = person.visit()
    visit.ask("Are you there?")
    visit.wait_until_said("The model is loading…")
    visit.wait_for_status("Waiting for the model: it may be loading.")
    visit.page.reload()
    visit.wait_for_status("Waiting for the model: it may be loading.")
    stack.model.release("loaded")
    visit.wait_for_status("Thinking…")
    stack.model.release("first word")
    visit.wait_for_text("Here I am.")
    visit.wait_for_status("")
    assert len(person.requests()) == 2


def test_an_answer_whose_worker_is_killed_before_its_first_word_waits_for_another_and_then_comes(
    browser: Browser, stack: Stack
) -> None:
    with (
        web_on(stack, RQ_QUEUE="fragile") as port,
        person_before(browser, stack, port) as person,
        redis.Redis.from_url(stack.redis_url) as client,
    ):
        visit = person.visit()
        with worker_on(stack, RQ_QUEUE="fragile") as worker:
            stack.model.script({"hold": "nobody"}, {"hold": "second", "deltas": ["Here ", "I am."]})
            visit.ask("Are you there?")
            visit.wait_for_status("Waiting for the model: it may be loading.")
            worker.kill()
            die(client, visit.stream())
            visit.wait_for_status(AWAY)
        with worker_on(stack, RQ_QUEUE="fragile"):
            visit.wait_for_status("The worker that had this question stopped. Another one is asking the model…")
            visit.page.reload()
            stack.model.release("second")
            visit.wait_for_text("Here I am.")
            visit.wait_for_status("")
        assert len(person.requests()) == 2
