"""With the keyboard alone, on the pages of whoever runs it: in which order, and whether one sees where one is."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import Stack, web_process_on
from tests.support.visitor import Visitor
from tests.support.web_process import WebProcess

PASSWORD = "correct horse"  # noqa: S105 (only for tests)
HELD = {"deltas": ["Once", {"wait": "go"}, "."]}

FOCUSED = """() => {
  const { activeElement: at } = document
  const box = at.getBoundingClientRect()
  const head = document.querySelector('.head')?.getBoundingClientRect().bottom ?? 0
  const inHead = at.closest('.head, dialog') !== null
  const style = getComputedStyle(at)
  return {
    name: (at.ariaLabel || at.labels?.[0]?.textContent || at.textContent).trim().slice(0, 20),
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    free: (inHead || box.bottom > head) && box.top < innerHeight,
    under: !inHead && box.height < innerHeight / 2 && box.top < head - 1,
  }
}"""


@pytest.fixture(scope="module")
def web(own_stack: Stack) -> Iterator[WebProcess]:
    with web_process_on(own_stack, ADMIN_PASSWORD=PASSWORD) as process:
        yield process


@pytest.fixture
def page(browser: Browser, web: WebProcess) -> Iterator[Page]:
    context = browser.new_context(base_url=web.url)
    yield context.new_page()
    context.close()


def walk(page: Page, key: str, steps: int) -> list[str]:
    """Press it so often; the names of what gets the focus, each of which must be seen to have it."""
    names = []
    for _ in range(steps):
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        assert focused["seen"], focused
        assert focused["free"], focused
        assert not focused["under"], focused
        names.append(focused["name"])
    return names


def sign_in(page: Page) -> None:
    """As somebody does who has no mouse."""
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def test_one_signs_in_and_goes_on_without_a_mouse(page: Page) -> None:
    page.goto("/admin")
    expect(page.get_by_label("Password")).to_be_focused()
    assert page.evaluate(FOCUSED)["seen"]
    assert walk(page, "Tab", 2) == ["Sign in", "To the conversations"]
    assert walk(page, "Shift+Tab", 2) == ["Sign in", "Password"]
    sign_in(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    names = walk(page, "Tab", 6)
    assert names[0] == "Sign out"
    assert [name.partition("What")[0][:5] for name in names[1:5]] == ["Queue", "Opera", "Vital", "Metri"]
    assert names[5] == "To the conversations"


def test_everything_on_the_operations_page_is_reached_in_its_order_and_never_below_the_head(
    own_stack: Stack, web: WebProcess, page: Page
) -> None:
    answers = [Visitor(web.url).ask("held", HELD) for _ in range(12)]
    page.goto("/admin/operations")
    sign_in(page)
    expect(page.get_by_role("status")).to_have_text("Live")
    streams = page.get_by_role("table", name="Streams in flight")
    expect(streams.get_by_role("row")).to_have_count(len(answers) + 1)
    page.set_viewport_size({"width": 1280, "height": 500})
    names = walk(page, "Tab", 4)
    assert names == ["Rejoinder", "Queue", "Metrics", "Last hour"]
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Last day")).to_be_checked()
    there = walk(page, "Tab", 30)
    assert "Stream" in there
    assert sum(name.startswith("st_") for name in there) == len(answers)
    back = walk(page, "Shift+Tab", 29)
    assert back == there[-2::-1]

    first = streams.locator("tbody button").first
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Stop…")).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    assert walk(page, "Tab", 1) + walk(page, "Shift+Tab", 1) == ["Stop…", "Close"]
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(first).to_be_focused()
    own_stack.model.release("go", len(answers))


@pytest.mark.parametrize("path", ["/admin", "/nowhere", "/admin/operations"])
def test_nothing_moves_for_whoever_wants_less_of_it(page: Page, path: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/admin")
    sign_in(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.goto(path)
    expect(page.get_by_role("heading").first).to_be_visible()
    moving = """() => [...document.querySelectorAll('*')].filter(node => {
      const { animationName, transitionDuration } = getComputedStyle(node)
      return animationName !== 'none' || transitionDuration !== '0s'
    }).length"""
    assert page.evaluate(moving) == 0
