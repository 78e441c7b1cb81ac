"""What a person does with the page besides waiting for an answer."""

from playwright.sync_api import expect

from tests.browser.conftest import Person, Stack


def test_words_that_could_not_be_sent_stay_and_are_sent_once(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Here I am."]})
    visit = person.visit()
    person.proxy.cut()
    visit.ask("Are you there?")
    expect(visit.page.get_by_role("alert")).to_contain_text("Not sent.")
    box = visit.page.get_by_role("textbox", name="Message")
    expect(box).to_have_value("Are you there?")

    person.proxy.heal()
    visit.page.get_by_role("button", name="Try again").click()
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
    sidebar.get_by_role("button", name="Delete", exact=True).click()
    expect(sidebar.locator(".entry .title")).to_have_text(["About dogs"])
    expect(visit.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    visit.page.go_back()
    sidebar.get_by_role("link", name="About dogs").click()
    visit.wait_for_text("Second.")


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


def test_a_conversation_that_is_not_there_says_so(person: Person) -> None:
    visit = person.visit("/c/no-such-conversation")
    expect(visit.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
