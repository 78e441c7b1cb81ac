"""With fingers alone, on a small screen: nothing of a mouse or of a keyboard is needed."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.stage import Stack
from tests.support.browser import Visit

PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def visit(browser: Browser, web_port: int) -> Iterator[Visit]:
    url = f"http://127.0.0.1:{web_port}"
    context = browser.new_context(base_url=url, viewport=PHONE, is_mobile=True, has_touch=True)
    visit = Visit(context)
    visit.page.goto("/")
    visit.wait_for_link("Live")
    yield visit
    context.close()
    assert visit.faults == []


def ask(visit: Visit, stack: Stack, question: str) -> None:
    stack.model.script({"deltas": ["Lace."]})
    visit.page.get_by_role("textbox", name="Message").fill(question)
    visit.page.get_by_role("button", name="Send", exact=True).tap()
    visit.wait_for_text("Lace.")
    visit.wait_for_status("")


def open_list(page: Page) -> None:
    page.get_by_role("button", name="Conversations").tap()
    expect(page.get_by_role("navigation")).to_be_in_viewport()


def test_enter_begins_a_new_line_and_the_button_sends_all_of_them(visit: Visit, stack: Stack) -> None:
    box = visit.page.get_by_role("textbox", name="Message")
    box.press_sequentially("What is it,")
    box.press("Enter")
    box.press_sequentially("that is made of holes?")
    expect(box).to_have_value("What is it,\nthat is made of holes?")
    expect(visit.page.locator(".question")).to_have_count(0)
    ask(visit, stack, "What is it,\nthat is made of holes?")
    expect(visit.page.locator(".question .words")).to_have_text("What is it,\nthat is made of holes?")


def test_one_thinks_better_of_a_new_title_and_the_list_stays(visit: Visit, stack: Stack) -> None:
    page = visit.page
    ask(visit, stack, "Lace?")
    open_list(page)
    ways: list[Callable[[], None]] = [
        lambda: page.get_by_role("button", name="Keep the title").tap(),
        lambda: page.get_by_role("textbox", name="New title").press("Escape"),  # of a keyboard beside the screen
    ]
    for give_up in ways:
        page.get_by_role("button", name="Rename").tap()
        page.get_by_role("textbox", name="New title").fill("Another")
        give_up()
        expect(page.get_by_role("textbox", name="New title")).to_have_count(0)
        expect(page.locator(".entry .title")).to_have_text(["Lace?"])
        expect(page.get_by_role("navigation")).to_be_in_viewport()
    page.get_by_role("button", name="Close the list").tap(position={"x": PHONE["width"] - 5, "y": 300})
    expect(page.get_by_role("navigation")).not_to_be_in_viewport()


def test_of_the_list_escape_gives_up_a_search_first(visit: Visit, stack: Stack) -> None:
    page = visit.page
    ask(visit, stack, "Lace?")
    open_list(page)
    page.get_by_role("searchbox").fill("wool")
    expect(page.get_by_text("Nothing found for “wool”.")).to_be_visible()
    page.get_by_role("searchbox").press("Escape")
    expect(page.locator(".entry .title")).to_have_text(["Lace?"])
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("navigation")).to_be_in_viewport()
    page.get_by_role("searchbox").press("Escape")
    expect(page.get_by_role("navigation")).not_to_be_in_viewport()


def test_where_a_turned_screen_shows_all_of_it_no_way_to_the_latest_is_offered(visit: Visit, stack: Stack) -> None:
    page = visit.page
    stack.model.script({"deltas": ["\n\n".join("A line of lace." for _ in range(12))]})
    page.set_viewport_size({"width": PHONE["height"], "height": PHONE["width"]})
    page.get_by_role("textbox", name="Message").fill("At length?")
    page.get_by_role("button", name="Send", exact=True).tap()
    visit.wait_for_status("")
    page.locator(".scroller").evaluate("scroller => scroller.scrollTo(0, 0)")
    expect(page.get_by_role("button", name="Latest")).to_be_visible()
    page.set_viewport_size(PHONE)
    expect(page.locator(".answer p").last).to_be_in_viewport()
    expect(page.get_by_role("button", name="Latest")).to_have_count(0)
