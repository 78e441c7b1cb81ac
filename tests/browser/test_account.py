"""Signing in and out, in a real browser, at a provider that is really elsewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pictures import SCHEMES, SIZES
from tests.browser.stage import Person, ScriptedAnswer, Stack, person_before, web_on
from tests.support.browser import Visit
from tests.support.oidc_provider import OidcProvider, running_oidc_provider

NOTING = """
window.noted = []
new MutationObserver(() => {
  for (const each of document.querySelectorAll('.empty h2')) window.noted.push(each.textContent)
  for (const each of document.querySelectorAll('textarea')) window.noted.push(each.ariaLabel)
}).observe(document, { childList: true, subtree: true })
"""


@dataclass(frozen=True)
class Place:
    """A web process with a login."""

    port: int
    provider: OidcProvider


@pytest.fixture(scope="module")
def place(stack: Stack) -> Iterator[Place]:
    with running_oidc_provider() as provider, web_on(stack, **provider.environment) as port:
        yield Place(port, provider)


@pytest.fixture(autouse=True)
def newcomer(place: Place, request: pytest.FixtureRequest) -> None:
    """Somebody who has never signed in before."""
    place.provider.misbehave()
    place.provider.person = {"sub": request.node.name, "name": "Ada Lovelace", "email": "ada@id.test"}


@pytest.fixture
def ada(browser: Browser, stack: Stack, place: Place) -> Iterator[Person]:
    with person_before(browser, stack, place.port) as person:
        yield person


def sign_in(visit: Visit) -> None:
    visit.page.get_by_role("link", name="Sign in with Example").click()
    expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
    visit.wait_for_link("Live")


def test_an_answer_goes_on_while_its_reader_signs_in_and_their_other_tab_signs_in_with_it(
    ada: Person, stack: Stack, answer: ScriptedAnswer, tmp_path: Path
) -> None:
    visit = ada.visit()
    look(visit, tmp_path, "out")
    visit.ask("How many?")
    answer.release(5)
    visit.wait_for_text(answer.first(5))
    other = ada.visit(re.sub(r"^https?://[^/]+", "", visit.page.url))
    other.wait_for_text(answer.first(5))

    sign_in(visit)
    visit.wait_for_text(answer.first(5))
    expect(visit.page).to_have_url(other.page.url)
    expect(other.page.get_by_text("Ada Lovelace")).to_be_visible()
    other.wait_for_link("Live")
    expect(other.page.locator(".entry")).to_have_count(1)
    answer.release(25)
    for tab in (visit, other):
        tab.wait_for_text(answer.whole)
        tab.wait_for_status("")
    assert len(ada.requests()) == 1
    look(visit, tmp_path, "in")

    other.page.get_by_role("link", name="New conversation").click()
    stack.model.script({"deltas": ["Of course."]})
    other.ask("And now?")
    other.wait_for_text("Of course.")
    expect(visit.page.locator(".entry")).to_have_count(2)


def test_a_second_browser_finds_all_of_it_and_brings_its_own_along(
    browser: Browser, stack: Stack, place: Place, ada: Person
) -> None:
    at_home = ada.visit()
    stack.model.script({"deltas": ["A bird."]}, {"deltas": ["A fish."]})
    at_home.ask("What flies?")
    at_home.wait_for_text("A bird.")
    sign_in(at_home)
    with person_before(browser, stack, place.port) as elsewhere:
        at_work = elsewhere.visit()
        at_work.ask("What swims?")
        at_work.wait_for_text("A fish.")
        sign_in(at_work)
        for visit in (at_work, at_home):
            expect(visit.page.locator(".entry .title")).to_have_text(["What swims?", "What flies?"])


def test_whoever_signs_out_leaves_nothing_behind_in_any_tab(ada: Person, stack: Stack) -> None:
    visit = ada.visit()
    stack.model.script({"deltas": ["Between us."]})
    visit.ask("A secret?")
    visit.wait_for_text("Between us.")
    sign_in(visit)
    other = ada.visit(re.sub(r"^https?://[^/]+", "", visit.page.url))
    other.wait_for_text("Between us.")
    visit.page.get_by_role("button", name="Sign out").click()
    for tab in (visit, other):
        expect(tab.page.get_by_role("navigation").get_by_role("link", name="Sign in with Example")).to_be_visible()
        tab.wait_for_link("Live")
        expect(tab.page.locator(".entry")).to_have_count(0)
        expect(tab.page.get_by_text("Between us.")).to_have_count(0)
    sign_in(visit)
    expect(visit.page.locator(".entry .title")).to_have_text(["A secret?"])


def test_the_accounts_name_is_offered_where_one_talks_to_others(ada: Person, stack: Stack) -> None:
    visit = ada.visit()
    sign_in(visit)
    stack.model.script({"deltas": ["Yes."]})
    visit.ask("Shall we talk?")
    visit.wait_for_text("Yes.")
    visit.page.get_by_role("button", name="Share", exact=True).click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Create a link").click()
    expect(visit.page.get_by_role("textbox", name="Link")).to_be_visible()
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Discussion").click()
    expect(visit.page.get_by_role("textbox", name="Your name")).to_have_value("Ada Lovelace")


def test_a_login_that_fails_says_so_and_can_be_tried_again(ada: Person, place: Place, tmp_path: Path) -> None:
    visit = ada.visit()
    place.provider.misbehave(claims={"nonce": "another"})
    visit.page.get_by_role("link", name="Sign in with Example").click()
    expect(visit.page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    look(visit, tmp_path, "refused")
    place.provider.misbehave()
    visit.page.get_by_role("link", name="Try again").click()
    expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()


def test_where_an_account_is_needed_one_is_asked_to_sign_in_before_one_writes(
    browser: Browser, stack: Stack, place: Place, tmp_path: Path
) -> None:
    with (
        web_on(stack, **place.provider.environment, OIDC_REQUIRED="1") as port,
        person_before(browser, stack, port) as member,
        person_before(browser, stack, port) as guest,
    ):
        visit = member.visit()
        expect(visit.page.get_by_role("heading", name="Sign in to ask")).to_be_visible()
        expect(visit.page.get_by_text("Only people with an account write here.")).to_be_visible()
        expect(visit.page.get_by_text("What would you like to know?")).to_have_count(0)
        expect(visit.page.get_by_role("textbox", name="Message")).to_have_count(0)
        expect(visit.page.get_by_role("button", name="Share", exact=True)).to_have_count(0)
        look(visit, tmp_path, "required")
        visit.page.get_by_role("main").get_by_role("link", name="Sign in with Example").click()
        watching = guest.visit(shared_to_ask(stack, visit))
        watching.wait_for_text("Welcome.")
        expect(watching.page.get_by_text("Only people with an account write here.")).to_be_visible()


def test_where_an_account_is_needed_nothing_to_ask_with_is_drawn_and_then_taken_back(
    browser: Browser, stack: Stack, place: Place
) -> None:
    """From the first thing that is drawn on: it would be there for an instant, so each change is looked at."""
    with (
        web_on(stack, **place.provider.environment, OIDC_REQUIRED="1") as port,
        person_before(browser, stack, port) as member,
        person_before(browser, stack, port) as guest,
    ):
        member.context.add_init_script(NOTING)
        guest.context.add_init_script(NOTING)
        visit = member.visit()
        expect(visit.page.get_by_role("heading", name="Sign in to ask")).to_be_visible()
        assert set(noted(visit)) == {"Sign in to ask"}
        visit.page.get_by_role("main").get_by_role("link", name="Sign in with Example").click()
        visit.wait_for_link("Live")
        expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
        assert set(noted(visit)) == {"What would you like to know?", "Message"}

        watching = guest.visit(shared_to_ask(stack, visit))
        watching.wait_for_text("Welcome.")
        watching.page.get_by_role("button", name="Discussion").click()
        beside = watching.page.get_by_role("complementary", name="Discussion")
        expect(beside.get_by_text("Only people with an account write here.")).to_be_visible()
        expect(beside.get_by_role("link", name="Sign in with Example")).to_be_visible()
        assert set(noted(watching)) == set()


def shared_to_ask(stack: Stack, visit: Visit) -> str:
    """Have a conversation in which "Welcome." is answered; the path of a link by which one may ask in it."""
    stack.model.script({"deltas": ["Welcome."]})
    visit.ask("May I?")
    visit.wait_for_text("Welcome.")
    visit.page.get_by_role("button", name="Share", exact=True).click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Ask too").check()
    dialog.get_by_role("button", name="Create a link").click()
    link = dialog.get_by_role("textbox", name="Link").input_value()
    return "/s/" + link.rpartition("/s/")[2]


def noted(visit: Visit) -> list[str]:
    """The greetings that this page has shown, and what one could write in, whatever has become of them."""
    shown: list[str] = visit.page.evaluate("window.noted")
    return shown


def look(visit: Visit, folder: Path, name: str) -> None:
    """Pictures for whoever wants to look; pytest keeps those of the last runs."""
    page = visit.page
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            menu = page.get_by_role("button", name="Conversations")
            if size == "phone" and menu.count():
                menu.click()
            page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", animations="disabled")
            if size == "phone" and menu.count():
                page.get_by_role("button", name="Close the list").click(position={"x": width - 5, "y": 300})
    page.set_viewport_size({"width": SIZES["wide"][0], "height": SIZES["wide"][1]})
    page.emulate_media(color_scheme="light")
