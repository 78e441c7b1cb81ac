"""What a person does with the page besides waiting for an answer."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.stage import Person, Stack, person_before, web_on, worker_on
from tests.support.browser import FAR_HOST

LINE = "a line of words that is about as long as the page is wide, so that many of them need scrolling; "


def test_words_that_could_not_be_sent_stay_and_are_sent_once(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Here I am."]})
    visit = person.visit()
    person.proxy.cut()
    visit.ask("Are you there?")
    expect(visit.page.get_by_role("alert")).to_contain_text("Not sent.")
    box = visit.page.get_by_role("textbox", name="Message")
    expect(box).to_have_value("Are you there?")

    person.proxy.heal()
    visit.page.get_by_role("button", name="Try again", exact=True).click()
    visit.wait_for_text("Here I am.")
    expect(box).to_have_value("")
    expect(visit.page.locator(".question")).to_have_count(1)
    assert len(person.requests()) == 1


def test_conversations_are_listed_renamed_and_deleted(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["First."]}, {"deltas": ["Second."]})
    visit = person.visit()
    visit.ask("About cats")
    visit.wait_for_text("First.")
    visit.page.get_by_role("link", name="New conversation").click()
    visit.ask("About dogs")
    visit.wait_for_text("Second.")

    sidebar = visit.page.get_by_role("navigation", name="Conversations")
    expect(sidebar.locator(".entry .title")).to_have_text(["About dogs", "About cats"])
    sidebar.get_by_role("link", name="About cats").click()
    visit.wait_for_text("First.")
    sidebar.get_by_role("button", name="Rename “About cats”").click()
    sidebar.get_by_role("textbox", name="New title").fill("Felines")
    sidebar.get_by_role("textbox", name="New title").press("Enter")
    expect(sidebar.get_by_role("link", name="Felines")).to_be_visible()
    expect(visit.page.locator(".header .title")).to_have_text("Felines")

    sidebar.get_by_role("button", name="Delete “Felines”").click()
    expect(sidebar.locator(".entry .title")).to_have_text(["About dogs"])
    expect(visit.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    visit.page.go_back()
    sidebar.get_by_role("link", name="About dogs").click()
    visit.wait_for_text("Second.")


def test_the_list_of_every_tab_shows_what_happens_in_the_others(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["They ", {"wait": "listed"}, "purr."]})
    first, second = person.visit(), person.visit()
    first.ask("About cats")
    first.wait_for_text("They ")
    entry = second.page.locator(".entry").filter(has_text="About cats")
    expect(entry.get_by_role("img", name="An answer is being written")).to_be_visible()
    stack.model.release("listed")
    expect(entry.get_by_role("img")).to_have_count(0)
    first.page.get_by_role("button", name="Rename “About cats”").click()
    first.page.get_by_role("textbox", name="New title").fill("Felines")
    first.page.keyboard.press("Enter")
    expect(second.page.locator(".entry .title")).to_have_text(["Felines"])
    second.page.locator(".entry").hover()
    second.page.get_by_role("button", name="Delete “Felines”").click()
    expect(first.page.locator(".entry")).to_have_count(0)


def test_conversations_are_found_by_what_was_said_in_them(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["They purr."]}, {"deltas": ["They bark."]})
    visit = person.visit()
    visit.ask("About cats")
    visit.wait_for_text("They purr.")
    visit.page.get_by_role("link", name="New conversation").click()
    visit.ask("About dogs")
    visit.wait_for_text("They bark.")
    sidebar = visit.page.get_by_role("navigation", name="Conversations")
    titles = sidebar.locator(".entry .title")
    expect(titles).to_have_text(["About dogs", "About cats"])
    expect(sidebar.get_by_role("heading")).to_have_text(["Today"])

    search = sidebar.get_by_role("searchbox", name="Search conversations")
    search.fill("PURR")
    expect(titles).to_have_text(["About cats"])
    search.fill("elephants")
    expect(sidebar.get_by_role("status")).to_have_text("Nothing found for “elephants”.")
    search.fill("")
    expect(titles).to_have_text(["About dogs", "About cats"])


def test_a_title_from_the_model_appears_in_every_tab_without_a_reload(browser: Browser, stack: Stack) -> None:
    question = "Why is the sky blue at noon and red in the evening, and what has the sun to do with it?"
    provisional = "Why is the sky blue at noon and red in the evening, and…"
    with (
        web_on(stack, RQ_QUEUE="titled") as port,
        worker_on(stack, RQ_QUEUE="titled", TITLE_MODEL=""),
        person_before(browser, stack, port) as person,
    ):
        stack.model.script({"deltas": ["It ", "scatters."]}, {"hold": "title", "deltas": ["**The colour of the sky**"]})
        visit = person.visit()
        visit.ask(question)
        visit.wait_for_text("It scatters.")
        visit.wait_for_status("")
        same, elsewhere = person.visit(urlsplit(visit.page.url).path), person.visit()
        for tab in (visit, same, elsewhere):
            expect(tab.page.locator(".entry .title")).to_have_text([provisional])
        stack.model.release("title")
        for tab in (visit, same, elsewhere):
            expect(tab.page.locator(".entry .title")).to_have_text(["The colour of the sky"])
        for tab in (visit, same):
            expect(tab.page.locator(".header .title")).to_have_text("The colour of the sky")
        assert len(person.requests()) == 2


def test_where_there_were_several_models_before_the_place_to_choose_one_moves_nothing(
    browser: Browser, stack: Stack
) -> None:
    """Where one types is looked at with each change of the page: it would jump for whoever is about to press there."""
    noting = """
      window.tops = []
      new MutationObserver(() => {
        for (const box of document.querySelectorAll('.box')) window.tops.push(box.getBoundingClientRect().top)
      }).observe(document, { childList: true, subtree: true })
    """
    with (
        web_on(stack, OPENAI_MODEL="", OPENAI_MODELS="small, medium, large") as port,
        person_before(browser, stack, port) as person,
    ):
        visit = person.visit()
        picker = visit.page.get_by_role("combobox", name="Model")
        expect(picker).to_be_visible()
        person.context.add_init_script(noting)
        visit.reload()
        expect(picker).to_be_visible()
        assert len(set(visit.page.evaluate("window.tops"))) == 1


def test_one_of_several_models_is_chosen_remembered_and_named(browser: Browser, stack: Stack) -> None:
    with (
        web_on(stack, OPENAI_MODEL="", OPENAI_MODELS="small, medium, large") as port,
        person_before(browser, stack, port) as person,
    ):
        stack.model.script(*[{"deltas": ["Here I am."]}] * 3)
        visit = person.visit()
        visit.page.set_viewport_size({"width": 360, "height": 640})
        picker = visit.page.get_by_role("combobox", name="Model")
        expect(picker).to_have_value("small")
        visit.ask("Who are you?")
        visit.wait_for_text("Here I am.")
        picker.select_option("large")
        visit.page.get_by_role("button", name="Try again").click()
        wrote = visit.page.locator(".answer .tools .model")
        expect(wrote).to_have_text("large")
        visit.page.reload()
        expect(picker).to_have_value("large")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 360

        other = person.visit()
        expect(other.page.get_by_role("combobox", name="Model")).to_have_value("large")
        other.page.get_by_role("combobox", name="Model").select_option("medium")
        other.ask("And you?")
        other.wait_for_text("Here I am.")
        visit.page.reload()
        expect(picker).to_have_value("large")
        assert [request["body"]["model"] for request in person.requests()] == ["small", "large", "medium"]


def test_where_there_is_one_model_nothing_is_to_be_chosen(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Here I am."]})
    visit = person.visit()
    visit.ask("Are you there?")
    visit.wait_for_text("Here I am.")
    visit.wait_for_status("")
    expect(visit.page.locator(".model, select")).to_have_count(0)


def test_a_draft_is_kept_for_each_conversation_over_a_refresh(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["First."]})
    visit = person.visit()
    visit.ask("About cats")
    visit.wait_for_text("First.")
    box = visit.page.get_by_role("textbox", name="Message")
    box.fill("Half a thought")
    visit.page.get_by_role("link", name="New conversation").click()
    expect(box).to_have_value("")
    box.fill("Another one")
    visit.page.reload()
    expect(box).to_have_value("Another one")
    visit.page.get_by_role("link", name="About cats").click()
    expect(box).to_have_value("Half a thought")


def test_instructions_hold_for_their_conversation_and_it_can_be_taken_along(person: Person, stack: Stack) -> None:
    visit = person.visit()
    visit.page.get_by_role("button", name="This conversation").click()
    dialog = visit.page.get_by_role("dialog", name="This conversation")
    dialog.get_by_role("textbox", name="Instructions for the model").fill("Be brief.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    stack.model.script({"deltas": ["Blue."]})
    visit.ask("Why is the sky blue?")
    visit.wait_for_text("Blue.")
    [request] = person.requests()
    assert request["body"]["messages"][0] == {"role": "system", "content": "Be brief."}
    visit.page.get_by_role("button", name="This conversation").click()
    for name, ending in (("Markdown", "md"), ("JSON", "json")):
        with visit.page.expect_download() as download:
            dialog.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == f"Why is the sky blue.{ending}"
        assert "Be brief." in Path(download.value.path()).read_text()
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("link", name="New conversation").click()
    visit.page.get_by_role("button", name="This conversation").click()
    expect(dialog.get_by_role("textbox", name="Instructions for the model")).to_have_value("")


def test_an_edited_question_is_answered_anew(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Four."]}, {"deltas": ["Six."]})
    visit = person.visit()
    visit.ask("Two and two?")
    visit.wait_for_text("Four.")
    visit.page.get_by_role("button", name="Edit and send again").click()
    editor = visit.page.get_by_role("form", name="Edit your message")
    editor.get_by_role("textbox").fill("Three and three?")
    editor.get_by_role("button", name="Send again").click()
    visit.wait_for_text("Six.")
    expect(visit.page.locator(".question .count")).to_have_text("2 of 2")
    assert len(person.requests()) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", FAR_HOST])
def test_an_answer_and_its_code_can_be_copied_from_any_address(person: Person, stack: Stack, host: str) -> None:
    code = 'print("naïve 🙂")'
    answer = f"Like **this**:\n\n```python\n{code}\n```\n"
    stack.model.script({"deltas": [answer]})
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit = person.visit(person.proxy.url.replace("127.0.0.1", host))
    visit.ask("How?")
    expect(visit.page.locator(".answer .language")).to_have_text("python")
    box = visit.page.get_by_role("textbox", name="Message")
    for button, copied in (("Copy the code", code), ("Copy the answer", answer), ("Copy your message", "How?")):
        visit.page.get_by_role("button", name=button).click()
        expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
        box.fill("")
        box.press("ControlOrMeta+v")
        expect(box).to_have_value(copied)
        expect(visit.page.get_by_role("button", name=button)).to_be_visible()


def test_what_a_model_writes_is_never_run(person: Person, stack: Stack) -> None:
    hostile = (
        '<img src=x onerror="window.ran=1"> <script>window.ran=1</script> [here](javascript:window.ran=1) **bold**'
    )
    stack.model.script({"deltas": [hostile]})
    visit = person.visit()
    visit.ask("Attack me")
    prose = visit.page.locator(".answer .prose")
    expect(prose).to_contain_text("<img src=x onerror=")
    expect(prose.locator("strong")).to_have_text("bold")
    expect(prose.locator("img, script, a")).to_have_count(0)
    assert visit.page.evaluate("window.ran") is None
    visit.page.reload()
    expect(prose.locator("strong")).to_have_text("bold")


def test_hostile_titles_are_words_like_any_others(person: Person, stack: Stack) -> None:
    title = '</title><img src=x onerror="window.ran=1">\u202etxt.exe'
    stack.model.script({"deltas": ["Fine."]})
    visit = person.visit()
    visit.ask("Name me")
    visit.wait_for_status("")
    visit.page.get_by_role("button", name="Rename “Name me”").click()
    visit.page.get_by_role("textbox", name="New title").fill(title)
    visit.page.keyboard.press("Enter")
    for shown in (".header .title", ".entry .title"):
        expect(visit.page.locator(shown)).to_contain_text("</title><img src=x")
    link = visit.page.request.post(visit.page.url.replace("/c/", "/api/conversations/") + "/shares", data={}).json()[
        "id"
    ]
    shared = person.visit(f"/s/{link}")
    expect(shared.page.locator(".header .title")).to_contain_text("</title><img src=x")
    for each in (visit, shared):
        expect(each.page).to_have_title(re.compile(re.escape("</title><img src=x")))
    for each in (visit, shared):
        assert each.page.evaluate("window.ran") is None
        expect(each.page.locator("img")).to_have_count(0)


def test_a_conversation_that_is_not_there_says_so(person: Person) -> None:
    visit = person.visit("/c/no-such-conversation")
    expect(visit.page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_small_scroll_up_is_never_taken_back_while_the_answer_grows(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": [LINE] * 200, "gate": "scrolling"})
    visit = person.visit()
    visit.ask("Tell me much")
    stack.model.release("scrolling", 60)
    visit.wait_for_text(LINE * 60)
    scroller = visit.page.get_by_role("main")
    at_the_end = "box => box.scrollHeight - box.scrollTop - box.clientHeight < 2"
    visit.page.wait_for_function(f"() => ({at_the_end})(document.querySelector('main'))")

    scroller.evaluate("box => box.scrollBy(0, -60)")
    expect(visit.page.get_by_role("button", name="Latest")).to_be_visible()
    place = scroller.evaluate("box => box.scrollTop")
    stack.model.release("scrolling", 60)
    visit.wait_for_text(LINE * 120)
    assert scroller.evaluate("box => box.scrollTop") == place

    visit.page.get_by_role("button", name="Latest").click()
    stack.model.release("scrolling", 80)
    visit.wait_for_text(LINE * 200)
    visit.page.wait_for_function(f"() => ({at_the_end})(document.querySelector('main'))")


def test_nothing_can_be_asked_anew_while_an_answer_comes_and_no_button_moves(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["First."]}, {"deltas": ["Second."], "gate": "anew"})
    visit = person.visit()
    visit.ask("One")
    visit.wait_for_status("")
    copy = visit.page.get_by_role("button", name=re.compile("^Copy"))
    anew = visit.page.get_by_role("button", name=re.compile("^(Try again|Edit and send again)$"))
    expect(anew).to_have_count(2)
    places = "buttons => buttons.map(button => button.getBoundingClientRect().left)"
    before = copy.evaluate_all(places)
    visit.ask("Two")
    expect(visit.page.locator(".status[data-tone=busy]")).to_be_visible()
    expect(anew).to_have_count(0)
    assert copy.evaluate_all(places)[: len(before)] == before

    stack.model.release("anew")
    visit.wait_for_status("")
    expect(anew).to_have_count(4)


def test_only_the_conversation_scrolls_however_long_it_is(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": [f"{LINE}\n\n" * 100]}, {"deltas": ["Short."]})
    visit = person.visit()
    visit.ask("Tell me much")
    visit.wait_for_status("")
    visit.ask("And now?")
    visit.wait_for_text("Short.")
    assert visit.page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    assert visit.page.get_by_role("main").evaluate("box => box.scrollHeight > box.clientHeight")


def test_all_of_a_conversation_is_printed_and_nothing_that_is_to_be_pressed(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": [f"{LINE}\n\n" * 100]})
    visit = person.visit()
    visit.ask("Tell me much")
    visit.wait_for_status("")
    ink = "getComputedStyle(document.body).color"
    on_screen = visit.page.evaluate(ink)
    visit.page.emulate_media(media="print", color_scheme="dark")
    assert visit.page.evaluate(ink) == on_screen, "what is dark on a screen is not light on paper"
    whole = "box => box.scrollHeight === box.clientHeight && document.documentElement.scrollHeight >= box.scrollHeight"
    assert visit.page.get_by_role("main").evaluate(whole)
    expect(visit.page.get_by_role("main").get_by_text("Tell me much")).to_be_visible()
    for control in (*visit.page.get_by_role("button").all(), *visit.page.get_by_role("textbox").all()):
        expect(control).to_be_hidden()


def test_nothing_that_is_read_moves_while_the_page_opens_and_an_answer_grows(person: Person, stack: Stack) -> None:
    table, code = "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n", "```python\nx = 1\n```\n\n"
    first = {"deltas": ["# Lace\n\n", "It is **holes**,\n\n", table, code, *[LINE] * 40]}
    stack.model.script(first, {"deltas": ["Once ", "more ", {"wait": "moving"}, "now."]})
    visit = person.visit()
    visit.ask("Tell me")
    expect(visit.page.locator(".answer table")).to_be_visible()
    visit.wait_for_status("")
    visit.page.goto(visit.page.url)
    visit.page.evaluate(WATCH_SHIFTS)
    expect(visit.page.locator(".answer table")).to_be_visible()
    visit.ask("And now?")
    visit.wait_for_text("Once more ")
    stack.model.release("moving")
    visit.wait_for_text("Once more now.")
    visit.wait_for_status("")
    shifts = visit.page.evaluate("window.shifts")
    assert sum(shift["value"] for shift in shifts) < 0.05, shifts  # web.dev calls up to 0.1 good


WATCH_SHIFTS = """() => {
  window.shifts = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { value, hadRecentInput, sources } = entry
      window.shifts.push({ value, hadRecentInput, what: sources.map((it) => it.node?.className ?? it.node?.nodeName) })
    }
  }).observe({ type: 'layout-shift', buffered: true })
}"""


def test_a_double_click_on_send_does_not_stop_the_answer(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Here ", "I am."], "gate": "double"})
    visit = person.visit()
    visit.page.get_by_role("textbox", name="Message").fill("Are you there?")
    box = visit.page.get_by_role("button", name="Send").bounding_box()
    assert box is not None
    where = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visit.page.mouse.click(*where)
    expect(visit.page.get_by_role("button", name="Stop")).to_be_visible()
    visit.page.mouse.down(click_count=2)
    visit.page.mouse.up(click_count=2)
    stack.model.release("double", 2)
    visit.wait_for_text("Here I am.")
    visit.wait_for_status("")


def test_on_a_phone_the_news_of_the_link_is_read_whole_and_covers_nothing_of_the_header(person: Person) -> None:
    visit = person.visit()
    visit.page.set_viewport_size({"width": 390, "height": 800})
    badge, title = visit.page.locator(".badge"), visit.page.locator(".header .title")
    person.proxy.cut()
    visit.wait_for_link("Reconnecting")
    assert badge.evaluate("badge => badge.scrollWidth <= badge.clientWidth")
    below, above = badge.bounding_box(), title.bounding_box()
    assert below
    assert above
    assert below["x"] >= 0
    assert below["x"] + below["width"] <= 390
    assert below["y"] >= above["y"] + above["height"]
    person.proxy.heal()
    visit.wait_for_link("Live")


def test_an_address_without_a_conversation_leads_to_a_new_one(person: Person) -> None:
    visit = person.visit("/c/0123456789abcdef")
    expect(visit.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    visit.page.get_by_role("link", name="Begin a new conversation").click()
    expect(visit.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()


def test_while_an_answer_is_written_what_can_be_pressed_begins_where_the_text_begins(
    person: Person, stack: Stack
) -> None:
    stack.model.script({"deltas": ["First."]}, {"deltas": ["Second", {"wait": "edge"}, "."]})
    visit = person.visit()
    visit.ask("One?")
    visit.wait_for_text("First.")
    visit.wait_for_status("")
    visit.ask("Two?")
    visit.wait_for_status("Writing…")
    visible = "tools => [...tools.children].map(each => getComputedStyle(each).visibility)"
    assert visit.page.locator(".answer .tools").first.evaluate(visible) == ["visible", "visible", "visible", "hidden"]
    assert visit.page.locator(".question .tools").first.evaluate(visible) == ["hidden", "visible"]
    stack.model.release("edge", 1)
    visit.wait_for_text("Second.")
