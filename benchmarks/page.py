"""Does the page stay smooth while a long answer comes? `make bench-page`, or `python -m benchmarks.page`.

The built page in a headless browser, before a real web process, a real worker, Redis and a scripted model. An answer of
100,000 characters streams into a conversation of 200 messages, while somebody types into the composer and scrolls: once
as prose, once as one giant table, list and block of code. Each row is measured twice in the same run: with this page,
and with one that reads and draws the whole text anew whenever it has grown (frontend/benchmarks/).

Every run checks that all of the text is shown. Times are those of the page's main thread.
"""

import argparse
import itertools
import math
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import APIRequestContext, Browser, BrowserContext, Page, expect

from development import node
from development.page import build
from tests.support.browser import running_browser
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import running_redis
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.waiting import wait_until
from tests.support.web_process import running_web
from tests.support.worker_process import running_worker

PAGE = node.FRONTEND / "dist"
WATCH = Path(__file__).with_name("watch.js").read_text()
PATIENCE = 600_000  # ms for one row; the naive page is slow
DELTA = 25  # characters
BETWEEN_KEYS = 60  # ms

EARLIER = """A short answer with **some** words, `code`, and a [link](https://example.org).

- one thing
- another thing

```python
print("Hello")
```
"""
SENTENCE = "A sentence of an answer that has **bold** words, *others* and some `code` in it. "
TEXTS = {
    "prose": lambda number: f"{SENTENCE * 4}\n\n" if number % 8 else f"## Part {number}\n\n",
    "table": lambda number: f"| row {number} | **{number * 7}** | `{number * 13}` | words of a cell |\n",
    "list": lambda number: f"- item {number} with **bold** words and some `code` in it\n",
    "code": lambda number: f"def function_{number}(argument):\n    return argument * {number}  # a remark\n\n",
}
BEFORE = {"table": "| a | b | c | d |\n|---|---|---|---|\n", "code": "```python\n"}
AFTER = {"code": "```\n"}

# Letters and digits, because marks of Markdown are not drawn; there is more on the page: the name of a language.
HAS_ALL = """text => {
  const drawn = [...document.querySelectorAll('.answer')].at(-1)?.querySelector(':scope > .prose')
  const [shown, wanted] = [drawn?.textContent ?? '', text].map(it => it.replace(/[^a-z0-9]/gi, ''))
  const whole = shown.endsWith(wanted.slice(-40)) && shown.length >= wanted.length
  return window.rejoinder.lastAnswer()?.text === text && whole
}"""
GREW = "text => (window.rejoinder.lastAnswer()?.text.length ?? 0) >= text.length"


@dataclass(frozen=True)
class Measured:
    """One answer, on one page."""

    script: float  # ms for each 1,000 deltas
    layout: float  # ms for each 1,000 deltas: style and layout
    frames: list[float]
    keys: list[float]
    long: list[float]  # ms, of the frames that took too long

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            f"{self.script:.0f}",
            f"{self.layout:.0f}",
            f"{percentile(self.frames, 50):.1f}",
            f"{percentile(self.frames, 99):.1f}",
            f"{len(self.long)} of {len(self.frames)}",
            f"{max(self.long):.0f}" if self.long else "< 50",
            f"{percentile(self.keys, 99):.0f}",
        )


def ratios(naive: Measured, this: Measured) -> Iterator[str]:
    """How many times as much the naive page takes; nothing for counts."""
    yield f"{naive.script / this.script:.1f}"
    yield f"{naive.layout / this.layout:.1f}"
    yield from (f"{percentile(naive.frames, of) / percentile(this.frames, of):.1f}" for of in (50, 99))
    yield from ("", "")
    yield f"{percentile(naive.keys, 99) / percentile(this.keys, 99):.1f}"


def text_of(kind: str, length: int) -> str:
    """At least `length` characters of this kind."""
    parts, size = [BEFORE.get(kind, "")], 0
    for number in itertools.count():
        parts.append(TEXTS[kind](number))
        size += len(parts[-1])
        if size >= length:
            return "".join([*parts, AFTER.get(kind, "")])
    raise AssertionError


def percentile(values: list[float], of: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * of / 100))] if ordered else math.nan


def seed(api: APIRequestContext, model: ScriptedModel, messages: int) -> str:
    """A conversation of so many messages; returns its id."""
    model.always({"deltas": [EARLIER]})
    conversation: str = api.post("/api/conversations", data={}).json()["id"]
    for number in range(messages // 2):
        sent = api.post(f"/api/conversations/{conversation}/messages", data={"content": f"Question {number}"})
        if not sent.ok:
            raise RuntimeError(f"the server answered {sent.status}: {sent.text()}")
        wait_until(
            lambda: api.get(f"/api/conversations/{conversation}").json()["generating"] is None, 60, "an earlier answer"
        )
    return conversation


def measure(context: BrowserContext, model: ScriptedModel, url: str, text: str, pace: float) -> Measured:
    """Let this answer come in place of the last one, and work beside it."""
    deltas = [text[at : at + DELTA] for at in range(0, len(text), DELTA)]
    model.script({"deltas": deltas, "pace": pace, "hold": "begin"})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    expect(page.locator(".badge")).to_have_text("Live")
    page.get_by_role("button", name="Try again").last.click()
    expect(page.locator(".status[data-tone=busy]")).to_be_visible()
    page.get_by_role("textbox", name="Message").focus()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    page.evaluate(WATCH)
    before = seconds(devtools)
    model.release("begin")
    work(page, text)
    page.wait_for_function(HAS_ALL, arg=text)
    expect(page.locator(".status[data-tone=busy]")).to_have_count(0)
    page.wait_for_timeout(500)  # what is drawn after the end is part of it
    spent = {name: (value - before[name]) * 1000 / len(deltas) * 1000 for name, value in seconds(devtools).items()}
    watched = page.evaluate("window.watched()")
    page.close()
    layout = spent["LayoutDuration"] + spent["RecalcStyleDuration"]
    return Measured(spent["ScriptDuration"], layout, watched["frames"], watched["keys"], watched["long"])


def work(page: Page, text: str) -> None:
    """Type and scroll until the answer is there."""
    for number in itertools.count():
        page.keyboard.press("abcdefgh "[number % 9])
        page.mouse.move(700, 300)
        page.mouse.wheel(0, -150 if number % 16 < 4 else 10_000)  # a little up, and back to the end
        page.wait_for_timeout(BETWEEN_KEYS)
        if page.evaluate(GREW, text):
            return


def seconds(devtools: Any) -> dict[str, float]:
    """What the page's main thread has spent so far."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics if metric["name"].endswith("Duration")}


def pages(folder: Path, services: ExitStack) -> tuple[ScriptedModel, dict[str, str]]:
    """A model, and the address of each page, as long as `services` are."""
    build()
    naive = folder / "naive"
    node.npm("run", "--silent", "build", "--", "-l", "warn", "-c", "benchmarks/vite.config.ts", "--outDir", str(naive))
    redis = services.enter_context(running_redis())
    model = services.enter_context(running_scripted_model())
    database_url = migrated(new_sqlite(folder))
    common = {"STREAM_LEASE": "60"}  # a machine that is busy measuring is not a dead worker
    services.enter_context(
        running_worker(folder, REDIS_URL=redis.url, DATABASE_URL=database_url, OPENAI_BASE_URL=model.base_url, **common)
    )
    urls = {}
    for name, files in (("this page", PAGE), ("naive page", naive)):
        environment = {**common, "PAGE_FOLDER": str(files), "OPENAI_MODEL": "scripted"}
        log = folder / f"{files.name}.log"
        web = running_web(redis_url=redis.url, database_url=database_url, log=log, environment=environment)
        urls[name] = services.enter_context(web).url
    return model, urls


def report(browser: Browser, model: ScriptedModel, urls: dict[str, str], arguments: argparse.Namespace) -> None:
    """The table."""
    first = next(iter(urls.values()))
    context = browser.new_context(base_url=first, viewport={"width": 1280, "height": 800})
    context.request.get("/")  # gives an identity, which all ports of this host share
    conversation = seed(context.request, model, arguments.messages)
    header = ("answer", "page", "script ms", "layout ms", "frame p50", "p99", "over 50 ms", "longest", "key p99")
    print(row(header))
    for kind in arguments.texts:
        text = text_of(kind, arguments.characters)
        measured = {}
        for name, url in urls.items():
            measured[name] = measure(context, model, f"{url}/c/{conversation}", text, arguments.pace)
            print(row((kind, name, *measured[name].cells)), flush=True)
        this, naive = measured.values()
        print(row((kind, "ratio", *ratios(naive, this))), flush=True)


def row(cells: tuple[object, ...]) -> str:
    return "  ".join(f"{cell!s:>12}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=200, help="in the conversation before")
    parser.add_argument("--characters", type=int, default=100_000, help="of the answer")
    parser.add_argument("--pace", type=float, default=0.002, help="seconds between deltas")
    parser.add_argument("--texts", nargs="+", choices=list(TEXTS), default=list(TEXTS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rejoinder-") as folder, ExitStack() as services:
        model, urls = pages(Path(folder), services)
        report(services.enter_context(running_browser()), model, urls, arguments)


if __name__ == "__main__":
    main()
