"""A person who asks over HTTP, whichever web process answers, and asks again with the same key as the page does."""

import json
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import httpx2

Json = dict[str, Any]

PATIENCE = 60.0  # seconds in which a request is sent again
PAUSE = 0.2  # seconds before that
TIMEOUT = 30.0  # seconds for one


class Person:
    """One identity: a cookie, which is got with the first conversation."""

    def __init__(self, ports: Callable[[], Sequence[int]], random: Random) -> None:
        self._ports = ports
        self._random = random
        self._http = httpx2.Client(timeout=TIMEOUT)

    def close(self) -> None:
        self._http.close()

    @property
    def cookie(self) -> str:
        """What to send as `Cookie` to be this person."""
        return "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())

    def converse(self, title: str) -> str:
        """Begin a conversation; its id."""
        return str(self.call("POST", "/api/conversations", {"title": title}).json()["id"])

    def send(self, conversation: str, script: Json, key: str | None = None) -> Json:
        """Ask the scripted model for the answer that the script describes; what the server says was sent."""
        body = {"content": json.dumps(script), "model": "scripted"}
        sent: Json = self.call("POST", f"/api/conversations/{conversation}/messages", body, key=key).json()
        return sent

    def stop(self, stream: str, port: int | None = None) -> Json:
        """Press stop."""
        stopped: Json = self.call("POST", f"/api/streams/{stream}/stop", port=port).json()
        return stopped

    def call(
        self, method: str, path: str, body: Json | None = None, *, key: str | None = None, port: int | None = None
    ) -> httpx2.Response:
        """One request, repeated while nobody answers, or with 503; a key makes it safe to repeat a send.

        Without a key it is repeated only where no connection was made. Raises httpx2.HTTPStatusError for a refusal.
        """
        response = self.ask(method, path, body, key=key, port=port)
        response.raise_for_status()
        return response

    def ask(
        self, method: str, path: str, body: Json | None = None, *, key: str | None = None, port: int | None = None
    ) -> httpx2.Response:
        """As `call`, whatever the answer."""
        headers = {"Idempotency-Key": key} if key else {}
        repeatable: tuple[type[Exception], ...] = (httpx2.ConnectError, httpx2.ConnectTimeout)
        if key or method == "GET":
            repeatable = (httpx2.TransportError,)
        deadline = time.monotonic() + PATIENCE
        while True:
            at = port or self._random.choice(self._ports())
            try:
                response = self._http.request(method, f"http://127.0.0.1:{at}{path}", json=body, headers=headers)
                if response.status_code != 503 or time.monotonic() > deadline:
                    return response
            except repeatable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)  # somebody who presses the button again
