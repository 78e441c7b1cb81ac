"""An answer that has begun is never lost: whatever happens to the page, the text goes on from the exact character.

Every test compares the text with the model's to the character, and counts the requests to the model: exactly one.
"""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.stage import Person, ScriptedAnswer, Stack, person_before, web_process_on
from tests.support.waiting import wait_until


def test_a_refresh_in_mid_answer_goes_on_and_fetches_only_the_rest(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))
    epoch_and_index = position_after(visit.sockets[0].chunks())

    refreshed = visit.reload()
    visit.wait_for_frame("following")
    visit.wait_for_text(answer.first(10))
    visit.wait_until_said("Picked up where you left off")
    visit.wait_for_link("Live")
    assert refreshed.positions() == [epoch_and_index]
    assert refreshed.chunks() == []  # all of it was in the tab

    answer.release(20)
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    assert refreshed.text() == "".join(answer.deltas[10:])
    assert len(person.requests()) == 1


def test_a_connection_that_is_cut_comes_back_and_goes_on(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))

    person.proxy.cut()
    visit.wait_for_link("Reconnecting")
    answer.release(10)  # is written while nobody hears it
    assert visit.text() == answer.first(10)

    person.proxy.heal()
    visit.wait_for_text(answer.first(20))
    visit.wait_for_link("Live")
    assert visit.sockets[-1].text() == "".join(answer.deltas[10:20])
    answer.release(10)
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    assert visit.sockets[-1].text() == "".join(answer.deltas[10:])
    assert len(person.requests()) == 1


def test_an_answer_that_finishes_while_the_page_is_closed_is_there_when_it_opens(
    person: Person, answer: ScriptedAnswer
) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))
    address = visit.page.url
    visit.page.close()

    answer.release(20)
    api = address.replace("/c/", "/api/conversations/")
    wait_until(
        lambda: person.context.request.get(api).json()["generating"] is None, timeout=120, what="the answer to be saved"
    )
    visit = person.visit(address)
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    assert len(person.requests()) == 1


def test_an_answer_that_goes_on_while_the_page_is_elsewhere_is_caught_up_in_the_same_tab(
    person: Person, answer: ScriptedAnswer
) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))

    visit.page.goto("about:blank")
    answer.release(10)
    visit.page.go_back()
    visit.wait_for_text(answer.first(20))
    assert visit.sockets[-1].text() == "".join(answer.deltas[10:20])
    answer.release(10)
    visit.wait_for_text(answer.whole)
    assert len(person.requests()) == 1


def test_a_second_tab_and_the_first_show_the_same(person: Person, answer: ScriptedAnswer) -> None:
    first = person.visit()
    first.ask("Tell me")
    answer.release(10)
    first.wait_for_text(answer.first(10))
    second = person.visit(first.page.url)
    second.wait_for_text(answer.first(10))
    answer.release(20)
    for visit in (first, second):
        visit.wait_for_text(answer.whole)
        visit.wait_for_status("")
    assert len(person.requests()) == 1


def test_without_a_network_the_page_says_so_and_goes_on_when_it_returns(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))

    person.context.set_offline(True)
    visit.wait_for_link("Offline")
    answer.release(10)
    person.context.set_offline(False)
    visit.wait_for_link("Live")
    visit.wait_for_text(answer.first(20))
    answer.release(10)
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    assert len(person.requests()) == 1


def test_a_network_that_swallows_everything_is_noticed_by_its_silence(
    browser: Browser, stack: Stack, restless_web_port: int, answer: ScriptedAnswer
) -> None:
    with person_before(browser, stack, restless_web_port) as person:
        visit = person.visit()
        visit.ask("Tell me")
        answer.release(10)
        visit.wait_for_text(answer.first(10))
        before = len(visit.sockets)

        person.proxy.freeze()
        visit.wait_for_link("Reconnecting")  # no event of the browser has said so
        answer.release(10)
        person.proxy.heal()
        visit.wait_for_text(answer.first(20))
        visit.wait_for_link("Live")
        answer.release(10)
        visit.wait_for_text(answer.whole)
        visit.wait_for_status("")
        later = visit.sockets[before:]
        assert "".join(socket.text() for socket in later) == "".join(answer.deltas[10:])
        assert len(person.requests()) == 1


def test_an_answer_survives_a_refresh_at_any_of_its_points(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    expect(visit.page.locator(".question .words")).to_have_text("Tell me")
    shown = 0
    for step in (0, 1, 1, 3, 7, 10, 7, 1):  # from before the first character to after the last
        answer.release(step)
        shown += step
        visit.page.reload()
        visit.wait_for_link("Live")
        if shown:
            visit.wait_for_text(answer.first(shown))
    visit.wait_for_status("")
    visit.page.reload()
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    assert len(person.requests()) == 1


@pytest.mark.parametrize("way", ["restarted", "killed"])
def test_when_the_web_process_is_replaced_in_mid_answer_the_page_goes_on_at_the_next(
    browser: Browser, stack: Stack, answer: ScriptedAnswer, way: str
) -> None:
    with (
        web_process_on(stack) as first,
        web_process_on(stack) as second,
        person_before(browser, stack, first.port) as person,
    ):
        visit = person.visit()
        visit.ask("Tell me")
        answer.release(10)
        visit.wait_for_text(answer.first(10))
        person.proxy.serve(second.port)
        if way == "restarted":
            first.terminate()
        else:
            first.kill()
        answer.release(10)
        visit.wait_for_text(answer.first(20))
        visit.wait_for_link("Live")
        assert visit.sockets[-1].text() == "".join(answer.deltas[10:20])
        answer.release(10)
        visit.wait_for_text(answer.whole)
        visit.wait_for_status("")
        assert len(person.requests()) == 1


def test_a_tab_that_was_frozen_goes_on_when_it_thaws(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(10)
    visit.wait_for_text(answer.first(10))
    debugger = person.context.new_cdp_session(visit.page)
    debugger.send("Page.setWebLifecycleState", {"state": "frozen"})
    person.proxy.cut()  # as phones do to the sockets of what sleeps; the frozen page hears nothing of it
    answer.release(10)
    person.proxy.heal()
    debugger.send("Page.setWebLifecycleState", {"state": "active"})
    visit.wait_for_text(answer.first(20))
    visit.wait_for_link("Live")
    answer.release(10)
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    assert len(person.requests()) == 1


def position_after(chunks: list[dict[str, object]]) -> str:
    return f"{chunks[-1]['epoch']}:{chunks[-1]['stop']}"
