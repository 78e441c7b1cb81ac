"""What only a real browser can show of how an answer is drawn."""

from itertools import pairwise

from playwright.sync_api import Route, expect

from tests.browser.stage import Person, Stack
from tests.support.browser import wait_in

CODE = 'def greet(name):\n    return f"Hello {name}"\n'
ANSWER = f"Like this:\n\n```python\n{CODE}```\n\nThat is all."


def test_code_gets_its_colours_and_loads_only_its_own_language(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Without code."]}, {"deltas": [ANSWER]})
    visit = person.visit()
    loaded: list[str] = []
    visit.page.on("request", lambda request: loaded.append(request.url.rsplit("/", 1)[-1].split("-")[0]))
    visit.ask("How?")
    visit.wait_for_text("Without code.")
    scripts = {"grammar", "python", "javascript", "bash"}
    assert not scripts & set(loaded)

    visit.ask("With code, please")
    code = visit.page.locator(".answer code")
    expect(code.locator(".is-keyword").first).to_have_text("def")
    assert code.text_content() == CODE.rstrip("\n")
    assert scripts & set(loaded) == {"grammar", "python"}


def test_colours_that_cannot_be_loaded_leave_plain_code_and_come_later(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": [ANSWER]})
    visit = person.visit()
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.abort()

    visit.page.route("**/assets/**", refuse)
    visit.ask("How?")
    code = visit.page.locator(".answer code")
    expect(code).to_have_text(CODE.rstrip("\n"))
    visit.wait_for_status("")
    wait_in(visit.page, lambda: len(refused) > 1, "it to try again by itself")
    expect(code.locator("span")).to_have_count(0)

    visit.page.unroute("**/assets/**")
    expect(code.locator(".is-keyword").first).to_have_text("def")


def test_colours_move_nothing(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": [ANSWER]})
    visit = person.visit()
    held: list[Route] = []
    visit.page.route("**/assets/python-*.js", lambda route: held.append(route))
    visit.ask("How?")
    code = visit.page.locator(".answer code")
    expect(code).to_have_text(CODE.rstrip("\n"))
    visit.wait_for_status("")
    before = (code.bounding_box(), visit.page.locator(".answer p").last.bounding_box())
    wait_in(visit.page, lambda: held, "the colours to be asked for")[0].continue_()
    expect(code.locator(".is-keyword").first).to_have_text("def")
    assert (code.bounding_box(), visit.page.locator(".answer p").last.bounding_box()) == before


def test_long_code_is_selected_as_it_was_written(person: Person, stack: Stack) -> None:
    code = "".join(f"line {number}\n\n" for number in range(1_000)).rstrip()
    stack.model.script({"deltas": [f"```\n{code}\n```"]})
    visit = person.visit()
    visit.ask("Much code, please")
    visit.wait_for_status("")
    parts = visit.page.locator(".answer pre .part")
    expect(parts).to_have_count(3)
    selected = visit.page.evaluate(
        """() => {
          getSelection().selectAllChildren(document.querySelector('.answer pre'))
          return getSelection().toString()
        }"""
    )
    assert selected.rstrip() == code
    heights = parts.evaluate_all("parts => parts.map(part => part.getBoundingClientRect().height)")
    line = visit.page.locator(".answer pre code").evaluate("code => parseFloat(getComputedStyle(code).lineHeight)")
    assert abs(sum(heights) - line * len(code.split("\n"))) < line  # no line more, and none less


def test_a_formula_is_drawn_by_what_is_loaded_for_it(person: Person, stack: Stack) -> None:
    prose = "For $5 and $10: let $x$ be\n\n$$\\frac{a}{\\textcolor{red}{b}}$$"
    stack.model.script({"deltas": ["Without."]}, {"deltas": [prose]})
    visit = person.visit()
    loaded: list[str] = []
    visit.page.on("request", lambda request: loaded.append(request.url.rsplit("/", 1)[-1].split("-")[0]))
    visit.ask("How?")
    visit.wait_for_text("Without.")
    assert "formula" not in loaded

    visit.ask("With a formula, please")
    answer = visit.page.locator(".answer").last
    expect(answer.locator("math")).to_have_count(2)
    expect(answer.locator("p")).to_contain_text("For $5 and $10: let")
    fraction = answer.locator("mfrac")
    above, below = (fraction.locator("> *").nth(at).bounding_box() for at in (0, 1))
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"] + 1  # drawn, not only there
    assert fraction.locator("mi").last.evaluate("it => getComputedStyle(it).color") == "rgb(255, 0, 0)"


def test_each_paragraph_reads_its_own_way(person: Person, stack: Stack) -> None:
    stack.model.script({"deltas": ["Hello\n\nשלום עולם\n\n- مرحبا\n\n`x = 1` שלום"]})
    visit = person.visit()
    visit.ask("שלום")
    blocks = visit.page.locator(".answer .prose :is(p, ul, code)")
    expect(blocks).to_have_count(5)
    ways = "nodes => nodes.map(node => getComputedStyle(node).direction)"
    assert blocks.evaluate_all(ways) == ["ltr", "rtl", "rtl", "rtl", "ltr"]
    assert visit.page.locator(".question .words").evaluate_all(ways) == ["rtl"]
    box = visit.page.get_by_role("textbox", name="Message")
    box.fill("مرحبا")
    assert box.evaluate_all(ways) == ["rtl"]
    listed = visit.page.locator(".answer ul").evaluate(
        "list => [parseFloat(getComputedStyle(list).paddingRight) > 0, parseFloat(getComputedStyle(list).paddingLeft)]"
    )
    assert listed == [True, 0]


def test_a_list_that_grows_long_keeps_its_items_and_their_distances(person: Person, stack: Stack) -> None:
    items = [f"{number}. item of a list\n" for number in range(1, 121)]
    stack.model.script({"deltas": ["".join(items[:50]), "".join(items[50:])], "gate": "long list"})
    visit = person.visit()
    visit.ask("A long list, please")
    stack.model.release("long list")
    listed = visit.page.locator(".answer li")
    expect(listed).to_have_count(50)
    tops = "items => items.map(item => item.getBoundingClientRect().top)"
    height = "answer => answer.querySelector('.prose').getBoundingClientRect().height"
    short = visit.page.locator(".answer").evaluate(height)

    stack.model.release("long list")
    expect(listed).to_have_count(120)
    places = listed.evaluate_all(tops)
    step = places[1] - places[0]
    assert all(abs(after - before - step) < 0.1 for before, after in pairwise(places))
    assert abs(visit.page.locator(".answer").evaluate(height) - short - 70 * step) < 1
    snapshot = visit.page.locator(".answer").aria_snapshot()
    assert snapshot.count("- list:") == 1
    assert snapshot.count("- listitem:") == 120


def test_a_wide_table_that_is_long_scrolls_sideways_by_itself(person: Person, stack: Stack) -> None:
    columns = 30
    row = "| words " * columns + "|\n"
    stack.model.script({"deltas": [row, "|---" * columns + "|\n", row * 300]})
    visit = person.visit()
    visit.ask("A large table, please")
    visit.wait_for_status("")
    wide = "box => box.scrollWidth > box.clientWidth"
    assert visit.page.locator(".answer .table").evaluate(wide)
    assert not visit.page.get_by_role("main").evaluate(wide)
    last = visit.page.locator(".answer td").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
