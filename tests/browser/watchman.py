"""Stands beside a page that is attacked, and notes what it must not do."""

from playwright.sync_api import ConsoleMessage, Dialog, Page, expect

from tests.support import hostile

FOREIGN = "script:not([src^='/assets/']), iframe, form[action], base, object, embed, svg[onload], main style, img"
HANDLERS = "nodes => nodes.flatMap(node => node.getAttributeNames()).filter(name => name.startsWith('on'))"
WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Watchman:
    """Notes what a page that is attacked must not do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.done: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("popup", lambda popup: self.done.append(f"popup {popup.url}"))
        page.on("request", lambda request: self._look(request.url))
        page.on("pageerror", lambda error: self.done.append(f"error {error}"))
        page.on("console", self._listen)

    def _dismiss(self, dialog: Dialog) -> None:
        self.done.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _look(self, url: str) -> None:
        if hostile.TRACKER in url or not url.startswith(("http://127.0.0.1", "http://localhost", "data:image/")):
            self.done.append(f"request {url}")

    def _listen(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:  # something was tried, and only just prevented
            self.done.append(f"console {message.text}")

    def nothing_ran(self) -> None:
        """And nothing was asked for elsewhere."""
        assert self.page.evaluate("window.ran") is None
        assert self.done == []

    def all_is_well(self) -> None:
        """Of a page of ours: nothing of it came from what was written, and it is as wide as its window."""
        expect(self.page.locator(FOREIGN)).to_have_count(0)
        links = self.page.locator(".prose a").evaluate_all("links => links.map(link => link.protocol)")
        assert set(links) <= {"http:", "https:", "mailto:"}
        assert self.page.locator("*").evaluate_all(HANDLERS) == []
        assert not self.page.evaluate(WIDE)
        self.nothing_ran()
