"""A web process, asked from outside: through whatever stands in front of it."""

import json
from urllib.parse import urlsplit

import requests
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import connect

from rejoinder.api import cause_of
from rejoinder.checks.findings import Finding, ok, wrong
from rejoinder.secrecy import shown_url

ABOUT = "web"
PATIENCE = 5.0  # seconds


def check_web(url: str) -> list[Finding]:
    """Whether the process at this address is ready, shows the page, and lets WebSockets through."""
    base = url.rstrip("/")
    try:
        ready = requests.get(f"{base}/readyz", timeout=PATIENCE)
        page = requests.get(f"{base}/", timeout=PATIENCE)
    except requests.RequestException as error:
        mend = "Start it, or correct --url; behind a proxy, look at that one's log."
        return [wrong(ABOUT, f"{shown_url(base)} does not answer: {cause_of(error)}", mend)]
    return [_ready(base, ready), _page(page), _socket(base)]


def _ready(base: str, response: requests.Response) -> Finding:
    if response.ok:
        return ok(ABOUT, f"{shown_url(base)} is ready: it reaches Redis and the database")
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.reason
    return wrong(ABOUT, f"is not ready ({response.status_code}): {detail}", "Look at what it cannot reach.")


def _page(response: requests.Response) -> Finding:
    if response.ok and "html" in response.headers.get("Content-Type", ""):
        return ok(ABOUT, "shows the page")
    return wrong(ABOUT, f"shows no page ({response.status_code})", "Build it with `make page`, then start again.")


def _socket(base: str) -> Finding:
    parts = urlsplit(base)
    address = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl() + "/api/socket"
    mend = "Have what stands in front of it pass `Upgrade` and `Connection` on, and not cut what is silent for 20 s."
    try:
        with connect(address, open_timeout=PATIENCE, close_timeout=1) as socket:
            hello = json.loads(socket.recv(timeout=PATIENCE))
    except InvalidHandshake as error:
        return wrong(ABOUT, f"opens no WebSocket: {error}", mend)
    except (OSError, TimeoutError, WebSocketException, ValueError) as error:
        return wrong(ABOUT, f"its WebSocket says nothing: {error}", mend)
    return ok(ABOUT, f"its WebSocket is open, with a heartbeat every {hello.get('heartbeat')} s")
