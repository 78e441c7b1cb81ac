"""What the administrator's pages do with hostile words: a model's name, an error, a worker's host, a job: nothing.

The operations page is ours, and its policy forbids whatever would run. rq-dashboard is not, and its scripts are in its
pages: what keeps it harmless is that it gets no word that begins an element or ends an attribute (webapp/dashboard.py).
"""

import json
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect
from rq import Queue, Worker
from rq.job import JobStatus
from rq.registry import FailedJobRegistry
from rq.results import Result

from jobs import SERIALIZER
from telemetry.presence import PROCESSES, SAY, TOTALS
from tests.browser.stage import Stack, web_process_on
from tests.browser.watchman import WIDE, Watchman
from tests.support import hostile
from tests.support.visitor import Visitor
from tests.support.web_process import WebProcess

PASSWORD = "correct horse"  # noqa: S105 (only for tests)
WIDTHS = (1280, 390)
LONG = "W" * 500
WORDS = [*hostile.MARKUP.values(), hostile.CHARACTERS["overrides"], hostile.CHARACTERS["heaps of marks"], LONG]


@pytest.fixture(scope="module")
def web(own_stack: Stack) -> Iterator[WebProcess]:
    with web_process_on(own_stack, ADMIN_PASSWORD=PASSWORD, ADMIN_READS_ANSWERS="1") as process:
        yield process


@pytest.fixture
def client(own_stack: Stack) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_stack.redis_url) as client:
        yield client


@pytest.fixture
def page(browser: Browser, web: WebProcess) -> Iterator[Page]:
    """The administrator's, who has signed in."""
    context = browser.new_context(base_url=web.url)
    page = context.new_page()
    page.goto("/admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    yield page
    context.close()


def test_the_operations_page_shows_whatever_is_said_and_does_nothing_of_it(
    own_stack: Stack, web: WebProcess, client: redis.Redis, page: Page
) -> None:
    visitor = Visitor(web.url)
    script = json.dumps({"deltas": ["".join(WORDS), {"wait": "on"}, {"error": {"message": " ".join(WORDS[:5])}}]})
    answers = [visitor.say(visitor.converse(words[:190]), script, model=words[:200]) for words in WORDS]
    for words in WORDS:
        claim(client, words, answers[0].stream)

    watchman = Watchman(page)
    page.goto("/admin/operations")
    expect(page.get_by_role("status")).to_have_text("Live")
    processes = page.get_by_role("table", name="Processes")
    expect(processes).to_contain_text(hostile.MARKUP["an event handler"])
    streams = page.get_by_role("table", name="Streams in flight")
    expect(streams).to_contain_text(hostile.MARKUP["an event handler"])
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        watchman.all_is_well()
        widths = page.locator("td").evaluate_all("cells => cells.map(cell => cell.clientWidth)")
        assert max(widths) < 320  # nothing pushes the others out of sight
    page.get_by_role("button", name=answers[-1].stream[:11]).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Read it").click()
    expect(dialog.get_by_role("region", name="What it says")).to_contain_text(hostile.MARKUP["a script"])
    own_stack.model.release("on", len(answers))
    expect(dialog).to_contain_text("failed")
    expect(dialog).to_contain_text(hostile.MARKUP["a script"])
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        watchman.all_is_well()
        assert not dialog.evaluate("dialog => dialog.scrollWidth > dialog.clientWidth")


def test_the_dashboard_shows_whatever_a_job_and_a_worker_say_and_does_nothing_of_it(
    client: redis.Redis, page: Page
) -> None:
    queue = Queue("planted", connection=client, serializer=SERIALIZER)
    failed = FailedJobRegistry("planted", connection=client, serializer=SERIALIZER)
    for number, words in enumerate(WORDS):
        job = queue.create_job("nothing.of.ours", job_id=f"planted-{number}", description=words, failure_ttl=600)
        job.meta = {words: words}
        job.set_status(JobStatus.FAILED)
        job.save()
        failed.add(job, ttl=600)
        Result.create_failure(job, 600, words)
        client.sadd("rq:queues", f"rq:queue:{words}")
        worker = Worker(
            [Queue(words, connection=client, serializer=SERIALIZER)],
            name=words,
            connection=client,
            prepare_for_work=False,
        )
        worker.hostname, worker.pid, worker.ip_address, worker.python_version = words, 1, words, words
        worker.register_birth()  # type: ignore[no-untyped-call]  # RQ's

    watchman = Watchman(page)
    pages = {
        "view/queues": "#queues [data-role=queue]",
        "view/workers": "#workers [data-role=worker]",
        "view/jobs/planted/failed/200/asc/1": "#jobs [data-role=job]",
        **{f"view/job/planted-{number}": "#job-data p" for number in range(len(WORDS))},
    }
    for path, shown in pages.items():
        page.goto(f"/rq/0/{path}")
        expect(page.locator(shown).first).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert not page.evaluate(WIDE), (path, width)
        watchman.nothing_ran()
    page.goto("/rq/0/view/jobs/planted/failed/200/asc/1")
    expect(page.locator("#jobs [data-role=job]")).to_have_count(len(WORDS))
    assert page.locator("#jobs :is(script, img, svg, math, iframe, form, base, meta, link, style)").count() == 0
    watchman.nothing_ran()


def claim(client: redis.Redis, words: str, stream: str) -> None:
    """Say as a process that all it is and counts is these words."""
    process = {"kind": words, "host": words, "pid": 1, "version": words, "began": 1.0}
    said = json.dumps({**process, "numbers": {words: 1.0}, "streams": {stream: words}})
    client.eval(SAY, 2, PROCESSES, TOTALS, words, 1, said, 0, 600, words, 1)
