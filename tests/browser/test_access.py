"""With a keyboard alone, a screen reader, or less motion, nothing is out of reach; and axe finds nothing wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import Person, ScriptedAnswer, Stack, person_before
from tests.browser.test_sharing import share
from tests.support.browser import Visit

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
MARKDOWN = """### Lace

##### How

Lace is **holes**, `tied` together. See [there](https://example.org/).

| Kind | Since |
| --- | ---: |
| Needle | 1500 |

```python
def lace(holes: int) -> str:
    return "o" * holes  # tied
```

- [x] one
- [ ] two

> Quoted.
"""


def violations(page: Page) -> list[str]:
    """What axe finds wrong with what the page shows now."""
    page.evaluate(AXE.read_text())  # through the debugger, which no policy of the page forbids
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found["violations"]]


def check(visit: Visit) -> None:
    """In light and dark, wide and on a phone."""
    for scheme, width in LOOKS:
        visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        visit.page.set_viewport_size({"width": width, "height": 800})
        assert violations(visit.page) == [], (scheme, width)
    visit.page.set_viewport_size({"width": 1280, "height": 800})


@pytest.fixture
def bob(browser: Browser, stack: Stack, web_port: int) -> Iterator[Person]:
    with person_before(browser, stack, web_port) as person:
        yield person


def test_axe_finds_nothing_in_any_state_of_the_page(person: Person, stack: Stack, bob: Person) -> None:
    visit = person.visit()
    check(visit)  # nothing yet
    stack.model.script({"deltas": [{"reasoning": "Hm. "}, MARKDOWN, {"wait": "axe"}, "\n\nThe end."]})
    visit.ask("What is lace?")
    expect(visit.page.locator(".answer pre")).to_be_visible()
    check(visit)  # being written
    stack.model.release("axe")
    visit.wait_for_status("")
    visit.page.get_by_text("Reasoning").click()
    check(visit)  # complete

    for name in ("This conversation", "Share"):
        visit.page.get_by_role("button", name=name, exact=True).click()
        check(visit)
        visit.page.keyboard.press("Escape")
    path = share(visit, "Ask too")
    guest = bob.visit(path)
    guest.page.get_by_role("button", name="Discussion").click()
    guest.page.get_by_role("textbox", name="Your remark").fill("Pretty.")
    guest.page.keyboard.press("Enter")
    expect(guest.page.locator(".said")).to_have_text(["Pretty."])
    check(guest)
    expect(visit.page.locator(".unread")).to_be_visible()
    check(visit)

    stack.model.script({"status": 401, "error": {"message": "Wrong key."}})
    visit.ask("And silk?")
    expect(visit.page.locator(".answer .status").last).to_contain_text("This answer failed.")
    visit.page.get_by_role("button", name="Edit and send again").last.click()
    check(visit)  # failed, and editing
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Delete everything of mine").click()
    check(visit)
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Delete “").click()
    expect(visit.page.get_by_role("button", name="Undo")).to_be_visible()
    expect(guest.page.get_by_role("heading", name="This is no longer shared")).to_be_visible()
    check(visit)  # with an offer to undo
    check(guest)  # shut out


def test_everything_can_be_done_with_the_keyboard_alone(person: Person, answer: ScriptedAnswer, stack: Stack) -> None:
    visit = person.visit()
    keys = visit.page.keyboard

    def tab_to(name: str) -> None:
        """Press Tab until what has this name, once it is there, has the focus."""
        expect(visit.page.get_by_role("button", name=name, exact=True).first).to_be_visible()
        for _ in range(60):
            keys.press("Tab")
            if visit.page.evaluate(FOCUSED) == name:
                return
        raise AssertionError(f"{name!r} cannot be reached with the keyboard")

    expect(visit.page.get_by_role("textbox", name="Message")).to_be_focused()
    keys.type("Tell me")
    keys.press("Shift+Enter")
    keys.type("all")
    expect(visit.page.get_by_role("textbox", name="Message")).to_have_value("Tell me\nall")
    keys.press("Enter")
    answer.release(10)
    visit.wait_for_text(answer.first(10))
    tab_to("Stop")
    keys.press("Enter")
    visit.wait_for_status("You stopped this answer.")

    stack.model.script({"deltas": ["Again."]})
    tab_to("Try again")
    keys.press("Enter")
    visit.wait_for_text("Again.")
    visit.wait_for_status("")
    tab_to("Previous version")
    keys.press("Enter")
    visit.wait_for_text(answer.first(10))

    stack.model.script({"deltas": ["Edited."]})
    tab_to("Edit and send again")
    keys.press("Enter")
    expect(visit.page.get_by_role("form", name="Edit your message").get_by_role("textbox")).to_be_focused()
    keys.type("!")
    tab_to("Send again")
    keys.press("Enter")
    visit.wait_for_text("Edited.")

    tab_to("Share")
    keys.press("Enter")
    dialog = visit.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    tab_to("Create a link")
    keys.press("Enter")
    expect(dialog.get_by_role("textbox", name="Link")).to_be_visible()
    for _ in range(30):  # the focus stays inside
        keys.press("Tab")
        assert visit.page.evaluate(INSIDE)
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(visit.page.get_by_role("button", name="Share", exact=True)).to_be_focused()

    tab_to("Rename “Tell me all”")
    keys.press("Enter")
    expect(visit.page.get_by_role("textbox", name="New title")).to_be_focused()
    keys.press("ControlOrMeta+a")
    keys.type("By hand")
    keys.press("Enter")
    expect(visit.page.locator(".header .title")).to_have_text("By hand")
    tab_to("Delete “By hand”")
    keys.press("Enter")
    tab_to("Undo")
    keys.press("Enter")
    visit.wait_for_text("Edited.")


INSIDE = """() => {
  const focused = document.activeElement  // the body, while the browser's own buttons have the focus
  return focused === document.body || focused.closest('dialog') !== null
}"""
FOCUSED = """() => {
  const focused = document.activeElement
  return focused.getAttribute('aria-label') ?? focused.textContent.trim()
}"""


def test_a_screen_reader_is_told_that_an_answer_begins_and_ends_and_not_every_word(
    person: Person, answer: ScriptedAnswer
) -> None:
    visit = person.visit()
    visit.page.evaluate(
        """() => {
          window.told = []
          const live = document.querySelector('.stage [aria-live]')
          new MutationObserver(() => window.told.push(live.textContent)).observe(
            live, { characterData: true, childList: true, subtree: true })
        }"""
    )
    visit.ask("Tell me")
    answer.release(30)
    visit.wait_for_text(answer.whole)
    visit.wait_for_status("")
    visit.page.wait_for_function("() => window.told.at(-1) === 'The answer is complete.'")
    assert len(visit.page.evaluate("window.told")) <= 6
    inside = "() => [...document.querySelectorAll('.answer')].every(answer => !answer.closest('[aria-live]'))"
    assert visit.page.evaluate(inside)


def test_nothing_moves_for_those_who_asked_for_less_motion(person: Person, answer: ScriptedAnswer) -> None:
    visit = person.visit()
    visit.ask("Tell me")
    answer.release(1)
    visit.wait_for_text(answer.first(1))
    moving = "document.getAnimations().length"
    assert visit.page.evaluate(moving) > 0  # else this test could not fail
    visit.page.emulate_media(reduced_motion="reduce")
    visit.page.wait_for_function(f"() => {moving} === 0")
