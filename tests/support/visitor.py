"""Someone with a cookie who asks over HTTP, as any program can."""

import json
import secrets
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any
from urllib.request import HTTPCookieProcessor, HTTPSHandler, Request, build_opener

from tests.support.waiting import wait_until


class Visitor:
    """One identity."""

    def __init__(self, url: str, trusting: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._jar = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._jar), HTTPSHandler(context=trusting))
        self.headers: Mapping[str, str] = {}
        """Those of the last answer."""

    @property
    def cookie(self) -> str:
        """What to send as `Cookie` to be this visitor."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def ask(self, title: str, script: dict[str, Any]) -> "Answer":
        """Ask the scripted model, in a new conversation, for the answer that the script describes."""
        return self.send(self.converse(title), script)

    def converse(self, title: str) -> str:
        """Begin a conversation; its id."""
        return str(self._call("POST", "/api/conversations", {"title": title})["id"])

    def send(self, conversation: str, script: dict[str, Any]) -> "Answer":
        """As `ask`, in this conversation."""
        return self.say(conversation, json.dumps(script))

    def say(
        self, conversation: str, content: str, headers: Mapping[str, str] | None = None, model: str = "s"
    ) -> "Answer":
        """Ask anything."""
        path, body = f"/api/conversations/{conversation}/messages", {"content": content, "model": model}
        key = {"Idempotency-Key": secrets.token_hex(16)}  # as the page does
        sent = self._call("POST", path, body, {**key, **(headers or {})})
        return Answer(self, sent["stream"])

    def share(self, conversation: str) -> str:
        """Make a link to watch it by; the share's id."""
        return str(self._call("POST", f"/api/conversations/{conversation}/shares", {})["id"])

    def open(self, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read what is at this address."""
        return self._call("GET", path, None, headers)

    def revoke(self, share: str) -> None:
        self._call("DELETE", f"/api/shares/{share}")

    def stop(self, stream: str) -> None:
        """Press stop."""
        self._call("POST", f"/api/streams/{stream}/stop")

    def read(self, stream: str) -> dict[str, Any]:
        """What is stored of a stream."""
        return self._call("GET", f"/api/streams/{stream}")

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310
        with self._opener.open(request, timeout=60) as response:
            answer: dict[str, Any] = json.loads(response.read() or "{}")
            self.headers = response.headers
        return answer


class Answer:
    """One that was asked for."""

    def __init__(self, visitor: Visitor, stream: str) -> None:
        self._visitor = visitor
        self.stream = stream
        self._recording: dict[str, Any] = {"end": None}

    @property
    def ended(self) -> bool:
        """Whether it has; asks only until it has."""
        if not self._recording["end"]:
            self._recording = self._visitor.read(self.stream)
        return bool(self._recording["end"])

    def recording(self) -> dict[str, Any]:
        """What was last read."""
        return self._recording

    def wait(self, timeout: float) -> None:
        """Until it has ended."""
        wait_until(lambda: self.ended, timeout, f"the end of {self.stream}")
