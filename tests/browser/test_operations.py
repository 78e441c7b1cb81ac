"""The operations page as the administrator's browser shows it, beside people who chat."""

import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import Stack, web_process_on
from tests.browser.test_access import LOOKS, violations
from tests.support.browser import Visit
from tests.support.scripted_model import ScriptedModel
from tests.support.socket_client import connected
from tests.support.tcp_proxy import running_proxy
from tests.support.visitor import Answer, Visitor
from tests.support.web_process import WebProcess

PASSWORD = "correct horse"  # noqa: S105 (only for tests)
SECRET = "only its owner may read this"  # noqa: S105


@pytest.fixture(scope="module")
def web(own_stack: Stack) -> Iterator[WebProcess]:
    with web_process_on(own_stack, ADMIN_PASSWORD=PASSWORD) as process:
        yield process


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Sign in there, and open the page. It must not have failed, nor asked for what its policy forbids."""
    opened: list[Visit] = []

    def open_page(url: str) -> Page:
        visit = Visit(browser.new_context(base_url=url))
        opened.append(visit)
        page = visit.page
        page.goto("/admin/operations")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("status")).to_have_text("Live")
        return page

    yield open_page
    for visit in opened:
        visit.page.context.close()
    assert [fault for visit in opened for fault in visit.faults] == []


class Holding:
    """Answers that say something, and go on when they are let. None of them is left for the next test."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model
        self._gates = [secrets.token_hex(4) for _ in range(2)]
        self.answers: list[Answer] = []

    def ask(self, web: WebProcess, visitor: Visitor | None = None) -> Answer:
        on, end = self._gates
        script = {"deltas": [SECRET, {"wait": on}, " and this", {"wait": end}, "."]}
        self.answers.append((visitor or Visitor(web.url)).ask("held", script))
        return self.answers[-1]

    def go_on(self) -> None:
        """Say more."""
        self._model.release(self._gates[0], len(self.answers))

    def end(self) -> None:
        """Say the rest."""
        self._model.release(self._gates[1], len(self.answers))
        for answer in self.answers:
            answer.wait(60)


@pytest.fixture
def holding(own_stack: Stack, web: WebProcess) -> Iterator[Holding]:  # noqa: ARG001  outlives what it asks
    holding = Holding(own_stack.model)
    yield holding
    holding.go_on()
    holding.end()


def test_a_stream_appears_grows_is_stopped_and_its_ending_is_in_the_plot(
    holding: Holding, web: WebProcess, open_page: Callable[[str], Page]
) -> None:
    page = open_page(web.url)
    streams = page.get_by_role("table", name="Streams in flight")
    expect(streams).to_contain_text("Nothing is being written.")
    visitor = Visitor(web.url)
    answer = holding.ask(web, visitor)
    line = streams.get_by_role("row").filter(has_text=answer.stream[:11])
    expect(line).to_contain_text("running")
    with connected(web.url, visitor.cookie) as follower:
        follower.say(type="follow", stream=answer.stream)
        follower.receive_text(SECRET)
        expect(line.get_by_role("cell").nth(8)).to_have_text("1")  # viewer
        chunks, before = line.get_by_role("cell").nth(5), int(follower.position.rpartition(":")[2])
    expect(chunks).to_have_text(str(before))
    holding.go_on()
    expect(chunks).to_have_text(str(before + 1))

    line.get_by_role("button").click()
    dialog = page.get_by_role("dialog", name=answer.stream)
    expect(dialog).to_contain_text("text 2 (")
    expect(dialog.get_by_role("button", name="Read it")).to_have_count(0)
    dialog.get_by_role("button", name="Stop…").click()
    dialog.get_by_role("button", name="Let it go on").click()
    dialog.get_by_role("button", name="Stop…").click()
    dialog.get_by_role("button", name="Stop the answer").click()
    expect(dialog).to_contain_text("cancelled")
    answer.wait(60)
    assert answer.recording()["end"]["outcome"] == "cancelled"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(streams).to_contain_text("Nothing is being written.")
    plot = page.get_by_role("figure", name="Endings")
    expect(plot).to_contain_text(re.compile(r"\d answers? in the last hour: .*\b1 cancelled \(\d+ %\)"))
    expect(plot.locator(".bar.cancelled")).to_have_count(1)
    assert SECRET not in page.content()


def test_a_process_that_is_killed_vanishes_from_the_page(
    own_stack: Stack, web: WebProcess, open_page: Callable[[str], Page]
) -> None:
    page = open_page(web.url)
    processes = page.get_by_role("table", name="Processes")
    with web_process_on(own_stack) as other:
        [child] = other.children()
        line = processes.get_by_role("row").filter(has=page.get_by_role("cell", name=str(child.pid), exact=True))
        expect(line).to_contain_text("web")
        other.kill()
        expect(line).to_have_count(0)
    expect(processes.get_by_role("row").filter(has_text="worker")).to_contain_text("of 200")


def test_what_an_answer_says_is_read_live_where_that_is_allowed(
    own_stack: Stack, holding: Holding, open_page: Callable[[str], Page]
) -> None:
    with web_process_on(own_stack, ADMIN_PASSWORD=PASSWORD, ADMIN_READS_ANSWERS="1") as web:
        page = open_page(web.url)
        answer = holding.ask(web)
        page.get_by_role("button", name=answer.stream[:11]).click()
        dialog = page.get_by_role("dialog", name=answer.stream)
        dialog.get_by_role("button", name="Read it").click()
        words = dialog.get_by_role("region", name="What it says")
        expect(words).to_have_text(SECRET)
        holding.go_on()
        expect(words).to_have_text(f"{SECRET} and this")
        holding.end()
        expect(words).to_have_text(f"{SECRET} and this.")
        read = [line for line in web.log.read_text().splitlines() if "the administrator reads an answer" in line]
        assert read
        assert all(answer.stream in line and "login=session" in line for line in read)


def test_streams_are_sorted_by_what_is_clicked_with_the_keyboard_too(
    holding: Holding, web: WebProcess, open_page: Callable[[str], Page]
) -> None:
    answers = [holding.ask(web) for _ in range(3)]
    page = open_page(web.url)
    streams = page.get_by_role("table", name="Streams in flight")
    names = streams.locator("tbody tr td:first-child")
    in_order = sorted(f"{answer.stream[:11]}…" for answer in answers)
    header = streams.get_by_role("columnheader", name="Stream")
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(in_order)
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    expect(names).to_have_text(in_order[::-1])
    expect(header).to_have_attribute("aria-sort", "descending")
    holding.go_on()
    holding.end()
    expect(streams).to_contain_text("Nothing is being written.")


def test_a_page_that_has_lost_contact_says_so_and_comes_back(web: WebProcess, open_page: Callable[[str], Page]) -> None:
    with running_proxy(web.port) as proxy:
        page = open_page(proxy.url)
        proxy.cut()
        badge = page.get_by_role("status")
        expect(badge).to_have_text(re.compile("No contact since .*What is shown is of"))
        proxy.heal()
        expect(badge).to_have_text("Live")


def test_a_page_whose_session_is_over_leads_to_the_login(
    browser: Browser, web: WebProcess, open_page: Callable[[str], Page]
) -> None:
    page = open_page(web.url)
    page.context.clear_cookies()
    badge = page.get_by_role("status")
    expect(badge).to_contain_text("Your session is over.")
    badge.get_by_role("link", name="Sign in").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status")).to_have_text("Live")
    assert browser.is_connected()


def test_axe_finds_nothing_on_the_page_nor_in_a_stream_that_is_open(
    holding: Holding, web: WebProcess, open_page: Callable[[str], Page]
) -> None:
    answer = holding.ask(web)
    page = open_page(web.url)
    expect(page.get_by_role("figure").first).to_be_visible()
    expect(page.get_by_role("button", name=answer.stream[:11])).to_be_visible()
    for opened in (False, True):
        if opened:
            page.get_by_role("button", name=answer.stream[:11]).click()
            expect(page.get_by_role("dialog")).to_contain_text("Conversation")
        for scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 800})
            assert violations(page) == [], (scheme, width, opened)
