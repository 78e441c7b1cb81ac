"""Takes pictures of the page in its main states, on the real stack: `make pictures`.

All of them, light and dark, wide and on a phone, go to .local/pictures, to be looked at; those that the README shows go
to frontend/pictures too.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Literal

import redis
from playwright.sync_api import Browser, expect

from tests.browser.busy_hour import make_up
from tests.browser.stage import Person, Stack, person_before, running_stack, web_on, web_process_on, worker_on
from tests.support.browser import Visit, running_browser
from tests.support.oidc_provider import running_oidc_provider
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.writing import die

PROJECT = Path(__file__).parents[2]
ALL = PROJECT / ".local" / "pictures"
SHOWN = PROJECT / "frontend" / "pictures"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"wide": (1200, 760), "phone": (390, 844)}
IN_README = {"refresh-1", "refresh-2", "refresh-3", "sharing", "shared", "empty", "answer", "operations"}  # light, wide
ON_A_PHONE = {"answer"}

QUESTIONS = ("Why is the sky blue?", "A recipe for plum cake", "Explain monads to a baker")
LACE = """Lace is **holes, tied together**: an open web in which the thread runs around what is not there.

| Kind | Tools | Since |
| --- | --- | --- |
| Needle lace | one needle | 1500s |
| Bobbin lace | dozens of bobbins | 1500s |
| Crochet | one hook | 1800s |

A row of it, as a program:

```python
def lace(holes: int) -> str:
    \"\"\"A row of lace, tied at both ends.\"\"\"
    return "x" + "-o-" * holes + "x"
```

How to begin:

1. Draw the pattern on paper.
2. Pin the paper to a pillow.
3. Cross and twist the bobbins, pair by pair.
"""
SILK = [
    "Silk is spun ", "by a worm, ", "Bombyx mori, ", "which turns ", "a single thread ", "of up to ", "900 metres ",
    "around itself. ", "Nobody ties ", "anything; ", "the gum on the thread ", "holds it together. ",
    "The cocoon ", "is softened ", "in hot water, ", "several threads ", "are reeled ", "as one, ", "and what was ",
    "a house ", "for a worm ", "is a yarn ", "for a weaver.",
]  # fmt: skip


class Camera:
    """Takes every picture in every look."""

    def take(self, visit: Visit, name: str, *, with_list: bool = False) -> None:
        """`with_list`: on a phone it covers the page, and is opened for the picture."""
        page = visit.page
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.evaluate("() => new Promise(requestAnimationFrame)")
                if with_list and size == "phone":
                    page.get_by_role("button", name="Conversations").click()
                picture = page.screenshot(animations="disabled")
                if with_list and size == "phone":
                    page.get_by_role("button", name="Close the list").click(position={"x": width - 5, "y": 300})
                (ALL / f"{name}-{size}-{scheme}.png").write_bytes(picture)
                shown = name in IN_README and (size == "wide" or name in ON_A_PHONE)
                if shown and (scheme == "light" or name == "answer"):
                    (SHOWN / f"{name}-{size}-{scheme}.png").write_bytes(picture)
        page.set_viewport_size({"width": SIZES["wide"][0], "height": SIZES["wide"][1]})
        page.emulate_media(color_scheme="light")


def main() -> None:
    for folder in (ALL, SHOWN):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stage:
        rubbish = stage.enter_context(tempfile.TemporaryDirectory(prefix="rejoinder-"))
        stack = stage.enter_context(running_stack(Path(rubbish)))
        port = stage.enter_context(web_on(stack))
        browser = stage.enter_context(running_browser())
        camera = Camera()
        tell_all(stack, lambda: stage.enter_context(person_before(browser, stack, port)), camera)
        tell_of_a_loss(stack, browser, camera)
        tell_of_a_login(stack, browser, camera)
        tell_of_limits(stack, browser, camera)
        tell_of_the_administrator(stack, browser, camera)
    with (
        tempfile.TemporaryDirectory(prefix="rejoinder-") as rubbish,
        running_stack(Path(rubbish)) as stack,
        running_browser() as browser,
    ):
        tell_of_operations(stack, browser, camera)
    print(f"{len(list(ALL.glob('*.png')))} pictures in {ALL}, those of the README in {SHOWN}")


def tell_all(stack: Stack, person: Callable[[], Person], camera: Camera) -> None:
    """One evening: Ada asks, refreshes, shares; Bob and Eve watch, ask and talk; and things go wrong."""
    ada, bob, eve = person(), person(), person()
    visit = ada.visit()
    camera.take(visit, "empty")
    for question in QUESTIONS:
        stack.model.script({"deltas": ["Because of ", "the butter."]})
        visit.ask(question)
        visit.wait_for_text("Because of the butter.")
        visit.page.get_by_role("link", name="New conversation").click()
    stack.model.script({"deltas": [LACE]})
    visit.ask("What is lace, and how is it made?")
    expect(visit.page.locator(".answer .code [class*='hljs'], .answer .code code span").first).to_be_visible()
    visit.wait_for_status("")
    camera.take(visit, "answer")

    stack.model.script({"deltas": SILK, "gate": "silk"})
    visit.ask("And silk?")
    stack.model.release("silk", 9)
    visit.wait_for_text("".join(SILK[:9]))
    camera.take(visit, "refresh-1")
    stack.model.release("silk", 6)
    visit.reload()
    visit.wait_for_text("".join(SILK[:15]))
    visit.wait_for_link("Picked up where you left off")
    camera.take(visit, "refresh-2")
    stack.model.release("silk", 9)
    visit.wait_for_text("".join(SILK))
    visit.wait_for_status("")
    camera.take(visit, "refresh-3")

    visit.page.get_by_role("button", name="Share", exact=True).click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Ask too").check()
    dialog.get_by_role("button", name="Create a link").click()
    link = dialog.get_by_role("textbox", name="Link").input_value()
    camera.take(visit, "sharing")
    visit.page.keyboard.press("Escape")

    path = "/s/" + link.rpartition("/s/")[2]
    bobs, eves = bob.visit(path), eve.visit(path)
    bobs.page.get_by_role("textbox", name="Your name").fill("Bob")
    stack.model.script({"deltas": ["Wool is ", "warmer, ", "and scratches. ", "It comes from sheep."], "gate": "wool"})
    bobs.ask("And wool?")
    stack.model.release("wool", 3)
    for guest, name, words in ((eves, "Eve", "I have never seen a worm spin."), (bobs, "Bob", "Wait for the sheep!")):
        guest.page.get_by_role("button", name="Discussion").click()
        beside = guest.page.get_by_role("complementary", name="Discussion")
        beside.get_by_role("textbox", name="Your name").fill(name)
        beside.get_by_role("textbox", name="Your remark").fill(words)
        beside.get_by_role("textbox", name="Your remark").press("Enter")
        expect(beside.locator(".said").last).to_have_text(words)
    expect(eves.page.locator(".said")).to_have_count(2)
    expect(eves.page.locator(".viewers")).to_have_text("2 watching")
    camera.take(eves, "shared")
    camera.take(visit, "told")
    stack.model.release("wool", 1)
    bobs.wait_for_status("")
    bobs.page.get_by_role("button", name="Compare with the server’s text").last.click()
    expect(bobs.page.locator(".proof").last).to_contain_text("The same for all")
    camera.take(bobs, "proved")

    stack.model.script({"deltas": ["Linen is ", "older than ", {"cut": True}]})
    visit.ask("And linen?")
    expect(visit.page.get_by_role("button", name="Continue")).to_be_visible()
    camera.take(visit, "cut-off")
    visit.page.get_by_role("button", name="This conversation").click()
    camera.take(visit, "this-conversation")
    visit.page.keyboard.press("Escape")
    ada.proxy.cut()
    visit.wait_for_link("Reconnecting")
    visit.ask("Are you there?")
    expect(visit.page.get_by_role("alert")).to_be_visible()
    camera.take(visit, "no-connection")
    ada.proxy.heal()
    visit.wait_for_link("Live")
    visit.page.get_by_role("button", name="Delete “What").click()
    expect(visit.page.get_by_role("button", name="Undo")).to_be_visible()
    camera.take(visit, "undo")
    expect(eves.page.get_by_role("heading", name="This is no longer shared")).to_be_visible()
    camera.take(eves, "over")


def tell_of_a_loss(stack: Stack, browser: Browser, camera: Camera) -> None:
    """No worker is there; then one is killed before the first word, and another one asks the model again."""
    with web_on(stack, RQ_QUEUE="fragile") as port, person_before(browser, stack, port) as person:
        visit = person.visit()
        visit.ask("And cotton?")
        expect(visit.page.get_by_text("No answer can begin just now.").first).to_be_visible()
        camera.take(visit, "away")
        visit.page.get_by_role("button", name="Stop").click()
        visit.wait_for_status("Stopped before the answer began.")
        stack.model.script({"hold": "hemp"}, {"hold": "hemp"})
        with worker_on(stack, RQ_QUEUE="fragile") as worker, redis.Redis.from_url(stack.redis_url) as client:
            visit.ask("And hemp?")
            wait_until(person.requests, what="the model to be asked")
            worker.kill()
            die(client, visit.stream())
        with worker_on(stack, RQ_QUEUE="fragile"):
            visit.wait_for_status("The worker that had this question stopped. Another one is asking the model…")
            camera.take(visit, "asked-again")
            stack.model.release("hemp", 2)


def tell_of_a_login(stack: Stack, browser: Browser, camera: Camera) -> None:
    """Somebody is refused at the provider, signs in, and meets a place where only members write."""
    with running_oidc_provider() as provider:
        with web_on(stack, **provider.environment) as port, person_before(browser, stack, port) as person:
            visit = person.visit()
            camera.take(visit, "signed-out", with_list=True)
            provider.misbehave(error="access_denied")
            visit.page.get_by_role("link", name="Sign in with Example").click()
            expect(visit.page.get_by_role("heading", name="You are not signed in")).to_be_visible()
            camera.take(visit, "login-refused")
            provider.misbehave()
            visit.page.get_by_role("link", name="Try again").click()
            expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
            visit.wait_for_link("Live")
            camera.take(visit, "signed-in", with_list=True)
        members = {**provider.environment, "OIDC_REQUIRED": "1"}
        with web_on(stack, **members) as port, person_before(browser, stack, port) as person:
            visit = person.visit()
            expect(visit.page.get_by_text("Only people with an account write here.")).to_be_visible()
            camera.take(visit, "members-only")


def tell_of_limits(stack: Stack, browser: Browser, camera: Camera) -> None:
    """One question an hour: the second one is refused, and stays where it was written."""
    with web_on(stack, SENDS_PER_IDENTITY="1/hour") as port, person_before(browser, stack, port) as person:
        visit = person.visit()
        stack.model.script({"deltas": ["Because of ", "the butter."]})
        visit.ask(QUESTIONS[0])
        visit.wait_for_text("Because of the butter.")
        visit.wait_for_status("")
        visit.ask(QUESTIONS[1])
        expect(visit.page.get_by_role("alert")).to_be_visible()
        camera.take(visit, "limit-reached")


def tell_of_the_administrator(stack: Stack, browser: Browser, camera: Camera) -> None:
    """Guesses the password until there are no more guesses; with the right one, another day, is let in."""
    password = "correct horse"  # noqa: S105 (only for pictures)
    with web_on(stack, ADMIN_PASSWORD=password) as port:
        visit = Visit(browser.new_context(base_url=f"http://127.0.0.1:{port}"))

        def try_with(guess: str) -> None:
            visit.page.get_by_label("Password").fill(guess)
            visit.page.get_by_role("button", name="Sign in").click()

        visit.page.goto("/admin")
        camera.take(visit, "admin-login")
        try_with("wrong")
        expect(visit.page.get_by_role("alert")).to_be_visible()
        camera.take(visit, "admin-wrong")
        try_with(password)
        expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
        camera.take(visit, "admin")
        visit.page.locator("[href='/rq/']").click()
        expect(visit.page.locator("#queues [data-role=queue]").first).to_be_visible()
        camera.take(visit, "admin-queue")
        visit.page.get_by_role("button", name="Sign out").click()
        for _ in range(10):
            try_with("wrong")
            expect(visit.page.get_by_role("alert")).to_be_visible()
        camera.take(visit, "admin-too-many")
        visit.page.context.close()


def tell_of_operations(stack: Stack, browser: Browser, camera: Camera) -> None:
    """Thirty answers, of which six wait for a worker; people follow them from two web processes."""
    queue, admin = {"RQ_QUEUE": "busy"}, {"ADMIN_PASSWORD": "correct horse", "ADMIN_READS_ANSWERS": "1"}
    with ExitStack() as running, redis.Redis.from_url(stack.redis_url) as client:
        make_up(client)
        web, other = (running.enter_context(web_process_on(stack, **queue, **admin)) for _ in range(2))
        for limit in (16, 8):
            running.enter_context(worker_on(stack, **queue, WORKER_CONCURRENCY=str(limit)))
        visitor = Visitor(web.url)
        answers = []
        for number in range(30):
            pace = (0.02, 0.05, 0.1, 0.4)[number % 4]
            script = {"deltas": SILK, "repeat": 1_000, "pace": pace}
            model = ("llama3.2", "Qwen/Qwen3-8B", "gpt-5-mini")[number % 3]
            answers.append(visitor.say(visitor.converse(f"{number}"), json.dumps(script), model=model))
        for number in range(40):
            follower = HTTPConnection("127.0.0.1", (web, other)[number % 2].port, timeout=60)
            running.callback(follower.close)
            headers = {"Accept": "text/event-stream", "Cookie": visitor.cookie}
            follower.request("GET", f"/api/streams/{answers[number * number % 30].stream}", headers=headers)
        visit = Visit(browser.new_context(base_url=web.url))
        visit.page.goto("/admin/operations")
        visit.page.get_by_label("Password").fill(admin["ADMIN_PASSWORD"])
        visit.page.get_by_role("button", name="Sign in").click()
        viewers = visit.page.locator(".tile", has_text="Viewers").locator("strong")
        expect(viewers).to_have_text("40")
        expect(visit.page.get_by_role("table", name="Streams in flight").get_by_role("row")).to_have_count(31)
        camera.take(visit, "operations")
        visit.page.get_by_role("heading", name="Streams in flight").scroll_into_view_if_needed()
        visit.page.get_by_role("button", name=answers[2].stream[:11]).click()
        visit.page.get_by_role("button", name="Read it").click()
        expect(visit.page.get_by_role("region", name="What it says")).to_contain_text("Bombyx")
        camera.take(visit, "operations-stream")
        visit.page.keyboard.press("Escape")
        visit.page.get_by_role("heading", name="What happened").scroll_into_view_if_needed()
        camera.take(visit, "operations-counts")
        visit.page.context.close()


if __name__ == "__main__":
    main()
