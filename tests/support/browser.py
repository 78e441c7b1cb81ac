"""A real browser, and a person in it who asks, watches and looks at what travelled."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FAR_HOST = "rejoinder.test"  # this machine too, but no secure context as localhost is: no clipboard, no randomUUID
ARGUMENTS = [
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {FAR_HOST} 127.0.0.1",
]
PATIENCE = 120_000  # ms; nothing here takes that long, but the machine may have other things to do

# White space at its ends means nothing in Markdown; all else must be the same.
IS_SHOWN = """text => {
  const drawn = [...document.querySelectorAll('.answer')].at(-1)?.querySelector(':scope > .prose')
  return window.rejoinder?.lastAnswer()?.text === text && drawn?.textContent.trim() === text.trim()
}"""

# What was typed stays where it was typed until the server has it, and in the same instant its answer stands there.
IS_WHOLE = """() => {
  const last = [...document.querySelectorAll('.answer')].at(-1)
  return last && !last.querySelector('.status') && !document.querySelector('.composer textarea')?.value
}"""

# What is said for a moment only is kept for whoever looks later: by the badge, and by the line under the last answer.
KEEP_WHAT_IS_SAID = """(() => {
  const said = (window.said = [])
  new MutationObserver(() => {
    const answer = [...document.querySelectorAll('.answer')].at(-1)
    for (const line of [document.querySelector('.badge'), answer?.querySelector('.status')]) {
      const words = line?.textContent.replace(/\\s+/g, ' ').trim()
      if (words && !said.includes(words)) said.push(words)
    }
  }).observe(document, { subtree: true, childList: true, characterData: true })
})()"""

Json = dict[str, Any]
T = TypeVar("T")


def find_browser() -> str:
    """The browser's program: `REJOINDER_BROWSER`, or the first that is installed."""
    program = os.environ.get("REJOINDER_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        raise RuntimeError(f"There is no browser here. Install one of {', '.join(NAMES)}, or set REJOINDER_BROWSER.")
    return program


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless browser for the length of the block."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def wait_in(page: Page, condition: Callable[[], T], what: str) -> T:
    """Return the first truthy value of `condition`, while the browser's events come in; raise TimeoutError if none."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still waiting for {what}")
        page.wait_for_timeout(20)  # hands the thread to the browser's events
    return value


class Socket:
    """One WebSocket of a page, and the frames that really travelled."""

    def __init__(self, websocket: WebSocket) -> None:
        self.sent: list[Json] = []
        self.received: list[Json] = []
        websocket.on("framesent", lambda data: self.sent.append(json.loads(data)))
        websocket.on("framereceived", lambda data: self.received.append(json.loads(data)))

    def chunks(self) -> list[Json]:
        return [frame for frame in self.received if frame["type"] == "chunks"]

    def text(self) -> str:
        """All text that came over this socket."""
        return "".join(frame.get("text", "") for frame in self.chunks())

    def positions(self) -> list[str | None]:
        """The positions from which the page asked to go on."""
        return [frame.get("position") for frame in self.sent if frame["type"] == "follow"]


class Visit:
    """One tab. It remembers every socket, and fails its test where the page itself has failed.

    What `page.wait_for_function` waits for is a function: the page's policy forbids to evaluate an expression again, so
    one that does not hold at once would be an error.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.add_init_script(KEEP_WHAT_IS_SAID)
        self.sockets: list[Socket] = []
        self.faults: list[str] = []
        self.page.on("websocket", lambda websocket: self.sockets.append(Socket(websocket)))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)

    def ask(self, question: str) -> None:
        """Type it and press Enter, once that is heard: not while an answer is being written."""
        box = self.page.get_by_role("textbox", name="Message")
        box.fill(question)
        expect(self.page.locator(".composer [type=submit]")).to_be_enabled()
        box.press("Enter")

    def reload(self) -> Socket:
        """Load the page anew; returns the socket that it then opens."""
        before = len(self.sockets)
        self.page.reload()
        wait_in(self.page, lambda: len(self.sockets) > before, "a socket of the new page")
        return self.sockets[before]

    def wait_for_text(self, text: str) -> None:
        """Wait until the last answer is exactly this, in the page's memory and on its face."""
        self.page.wait_for_function(IS_SHOWN, arg=text)

    def text(self) -> str:
        """The last answer, before it is drawn."""
        answer: Json = self.page.evaluate("window.rejoinder.lastAnswer()")
        return str(answer["text"])

    def wait_for_link(self, words: str) -> None:
        expect(self.page.locator(".badge")).to_have_text(words)

    def wait_for_status(self, words: str) -> None:
        """Wait for the line under the last answer; empty: for an answer to all that was asked, and none under it."""
        if words:
            expect(self.page.locator(".answer").last.locator(".status")).to_have_text(words)
        else:
            self.page.wait_for_function(IS_WHOLE)

    def wait_until_said(self, words: str) -> None:
        """Wait until the badge, or the line under the last answer, says this, or has said it in this page before."""
        self.page.wait_for_function("words => window.said.includes(words)", arg=words)

    def wait_for_frame(self, kind: str) -> Json:
        """Wait until the newest socket has received such a frame."""

        def received() -> Json | None:
            frames = self.sockets[-1].received if self.sockets else []
            return next((frame for frame in frames if frame["type"] == kind), None)

        frame = wait_in(self.page, received, f"a frame {kind}")
        assert frame is not None
        return frame

    def stream(self) -> str:
        """The stream that it followed last."""
        return str([frame["stream"] for frame in self.sockets[-1].sent if frame["type"] == "follow"][-1])

    def _note(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)
