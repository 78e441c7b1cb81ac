"""What only a real browser can show of how an answer is drawn."""

from playwright.sync_api import Route, expect

from tests.browser.conftest import Person, Stack

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
    for _ in range(500):  # it tries again by itself
        if len(refused) > 1:
            break
        visit.page.wait_for_timeout(20)
    assert len(refused) > 1
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
    visit.page.wait_for_timeout(500)  # hands the thread to the browser's events
    held[0].continue_()
    expect(code.locator(".is-keyword").first).to_have_text("def")
    assert (code.bounding_box(), visit.page.locator(".answer p").last.bounding_box()) == before
