"""The dashboard as the administrator's browser shows it: a process of its own, beside a worker that runs many jobs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.stage import Stack, web_on, worker_on
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import DASHBOARD, WebProcess, running_web

PASSWORD = "correct horse"  # noqa: S105 (only for tests)
QUEUE = "seen"
HELD = {"hold": "held"}
REFUSED = {"status": 400, "error": {"message": "no such thing"}}
PHONE: ViewportSize = {"width": 390, "height": 844}
CUT_OFF = """() => [document.documentElement, ...document.querySelectorAll('.section, .section *, .footer-text')]
  .filter(each => each.clientWidth && each.scrollWidth > each.clientWidth + 1)
  .map(each => each.outerHTML.slice(0, 200))"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def dashboard(own_stack: Stack) -> Iterator[WebProcess]:
    log = own_stack.folder / "dashboard.log"
    environment = {"ADMIN_PASSWORD": PASSWORD, "RQ_QUEUE": QUEUE}
    with running_web(
        redis_url=own_stack.redis_url,
        database_url="sqlite:////nowhere/at/all",  # it needs none
        log=log,
        environment=environment,
        app=DASHBOARD,
    ) as process:
        yield process


@pytest.fixture
def page(browser: Browser, dashboard: WebProcess) -> Iterator[Page]:
    context = browser.new_context(base_url=dashboard.url)
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert faults == []


def test_the_dashboard_shows_what_is_queued_running_finished_and_failed_and_by_whom(
    own_stack: Stack, page: Page, tmp_path: Path
) -> None:
    stack = own_stack
    with web_on(stack, RQ_QUEUE=QUEUE) as port, worker_on(stack, RQ_QUEUE=QUEUE, WORKER_CONCURRENCY="3"):
        visitor = Visitor(f"http://127.0.0.1:{port}")
        finished, failed = visitor.ask("Lace", {"deltas": ["Done."]}), visitor.ask("Silk", REFUSED)
        for answer in (finished, failed):
            answer.wait(60)
        held = [visitor.ask("Wool", HELD) for _ in range(3)]
        wait_until(lambda: len(stack.model.requests()) == 5, what="the model to be asked by all that may run")
        waiting = visitor.ask("Hemp", HELD)

        page.goto("/rq/0/view/workers")
        take(page, tmp_path, "login")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#workers [data-role=worker]").first).to_contain_text("running 3 of 3")
        take(page, tmp_path, "workers")
        row = page.locator("#workers [data-role=worker]").first
        expect(row.locator("a")).to_have_count(3)
        expect(row).to_contain_text(re.compile(r"\bby s\b"))

        page.get_by_role("link", name="Queues").click()
        line = page.locator("#queues [data-role=queue]", has_text=QUEUE)
        expect(line.locator("td")).to_have_text([QUEUE, "1", "0", "0", "3", "1", "1", "0"])
        take(page, tmp_path, "queues")

        for registry, expected in (("queued", [waiting]), ("started", held), ("finished", [finished])):
            page.goto(f"/rq/0/view/jobs/{QUEUE}/{registry}/8/asc/1")
            expect(page.locator("#jobs [data-role=job]")).to_have_count(len(expected))
            shown = page.locator("#jobs .job_id a").all_inner_texts()
            assert set(shown) == {answer.stream for answer in expected}
        page.goto(f"/rq/0/view/job/{held[0].stream}")
        expect(page.locator("#job-data")).to_contain_text("answer in conversation")
        expect(page.locator("#job-data")).not_to_contain_text("deltas")
        take(page, tmp_path, "job")

        page.goto(f"/rq/0/view/job/{waiting.stream}")
        page.locator("#delete-job-btn").click()
        page.locator("#confirmation-modal-yes").click()
        page.wait_for_url("**/rq/")
        page.goto(f"/rq/0/view/jobs/{QUEUE}/queued/8/asc/1")
        expect(page.locator("#jobs")).to_contain_text("No jobs.")

        page.goto("/admin")
        take(page, tmp_path, "index")
        expect(page.get_by_role("link", name="Queue")).to_be_visible()
        expect(page.get_by_role("link", name="Vitals")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto("/rq/")
        expect(page.get_by_label("Password")).to_be_visible()
        stack.model.release("held", 3)


def test_on_a_phone_all_of_it_is_to_be_read_and_one_finds_the_way_out(
    own_stack: Stack, dashboard: WebProcess, browser: Browser, tmp_path: Path
) -> None:
    """What nobody would see, because it is cut off or lies under something else, is not there."""
    with web_on(own_stack, RQ_QUEUE=QUEUE) as port, worker_on(own_stack, RQ_QUEUE=QUEUE):
        failed = Visitor(f"http://127.0.0.1:{port}").ask("Flax", REFUSED)
        failed.wait(60)
        context = browser.new_context(base_url=dashboard.url, viewport=PHONE, is_mobile=True, has_touch=True)
        page = context.new_page()
        page.goto("/admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        seen = {
            "view/queues": page.locator("#queues [data-role=queue]", has_text=QUEUE),
            "view/workers": page.locator("#workers [data-role=worker]", has_text=QUEUE),
            f"view/jobs/{QUEUE}/failed/8/dsc/1": page.locator("#jobs [data-role=job]", has_text=failed.stream),
            f"view/job/{failed.stream}": page.locator("#job-data", has_text="Traceback"),
        }
        for path, shown in seen.items():
            page.goto(f"/rq/0/{path}")
            expect(shown.first).to_be_visible()
            assert page.evaluate(CUT_OFF) == [], path
            take(page, tmp_path, path.replace("/", "-"))
        page.goto(f"/rq/0/view/jobs/{QUEUE}/failed/8/dsc/1")
        traceback = page.locator("#jobs .exc_info").first
        expect(traceback).to_contain_text("File ”")
        expect(traceback).not_to_contain_text("&")

        page.get_by_role("link", name="Administration").tap()
        expect(page.get_by_role("link", name="Queue")).to_be_visible()
        page.get_by_role("link", name="Queue").tap()
        page.get_by_role("button", name="Sign out").tap()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto("/rq/")
        expect(page.get_by_label("Password")).to_be_visible()
        context.close()


def take(page: Page, folder: Path, name: str) -> None:
    """Pictures for whoever wants to look; pytest keeps those of the last runs."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{scheme}.png")
