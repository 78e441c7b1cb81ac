"""A WebSocket to a server that comes back whenever it is lost, and says again what it wants to hear."""

import json
import re
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from rejoinder.api import GONE, LATER, cause_of, seconds_of
from rejoinder.errors import NotThere, Refused
from rejoinder.patience import Patience

Json = dict[str, Any]

OPEN_LIMIT = 10.0  # seconds for a handshake
CLOSE_LIMIT = 0.5  # seconds for a farewell that nobody waits for
HEARTBEAT = 20.0  # seconds, until the server has said what it is
LARGEST = 4 * 1024 * 1024  # bytes of a frame; the server's own have some 64 KiB of text

RESTARTS, NO_SHARE, SHARE_OVER, TOO_MUCH = 1012, 4404, 4410, 4429  # close codes of webapp/PROTOCOL.md
COME_BACK = re.compile(r"\bin (\d{1,6}) ms\b")  # in the reason of the first, which is another moment for everybody
LATEST = 30.0  # seconds; a server that says more than that raves
AFTER_RESTART = 2.0  # seconds; any moment within them, where there is none
AFTER_TOO_MUCH = 30.0  # seconds, and any moment within as many more
OURS = {1003, 1007, 1009}  # …that say that we sent what it cannot read
SHARE_IS_OVER = "This link was revoked, or its time is over."
NO_SUCH_SHARE = "There is no such link."
NOT_WORK = {"hello", "following", "gone", "problem", "heartbeat"}  # frames that a server in trouble sends, too


class Line:
    """`frames` are those of as many connections as it takes."""

    def __init__(
        self,
        server: str,
        query: str,
        cookie: str,
        patience: Patience,
        *,
        wants: Callable[[], list[Json]],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`wants` is asked for the frames to begin each connection with; `lost` is told that one was lost."""
        scheme = "wss" if urlsplit(server).scheme == "https" else "ws"
        self._url = urlsplit(server)._replace(scheme=scheme).geturl() + f"/api/socket{query}"
        self._server = server
        self._cookie = cookie
        self._patience = patience
        self._wants = wants
        self._lost = lost

    def frames(self) -> Generator[Json]:
        """What comes, until it is closed. Raises NotThere, Refused, Unreachable."""
        while True:
            asked = spread = None
            try:
                with self._connect() as socket:
                    for frame in self._wants():
                        socket.send(json.dumps(frame))
                    yield from self._received(socket)
            except ConnectionClosed as closed:
                why, asked, spread = self._closed(closed)
                self._lost()
            except InvalidStatus as refusal:
                why, asked = self._refused(refusal)
            except (InvalidHandshake, WebSocketException) as error:
                why = f"{self._server} opens no WebSocket ({cause_of(error)})"
            except TimeoutError:
                why = "Nothing was heard for too long"
                self._lost()
            except OSError as error:
                why = f"{self._server} cannot be reached ({cause_of(error)})"
            except ValueError:  # no JSON, or no object
                why = "What came could not be read"
                self._lost()
            self._patience.wait(why, asked=asked, spread=spread)

    def _connect(self) -> ClientConnection:
        return connect(
            self._url,
            additional_headers={"Cookie": self._cookie} if self._cookie else None,
            open_timeout=OPEN_LIMIT,
            close_timeout=CLOSE_LIMIT,
            ping_interval=None,  # the server's heartbeat shows what a ping would
            max_size=LARGEST,
        )

    def _received(self, socket: ClientConnection) -> Generator[Json]:
        """Until it is lost. Two heartbeats of silence mean that it is."""
        heartbeat = HEARTBEAT
        while True:
            frame = json.loads(socket.recv(timeout=2 * heartbeat))
            if not isinstance(frame, dict):
                raise ValueError("no object")
            kind = frame.get("type")
            if kind == "hello" and isinstance(frame.get("heartbeat"), int | float):
                heartbeat = max(0.1, frame["heartbeat"])
            if kind not in NOT_WORK:
                self._patience.worked()
            yield frame

    def _closed(self, closed: ConnectionClosed) -> tuple[str, float | None, float | None]:
        """Why, and when to come back: see Patience.wait. Raises where that is no use."""
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")
        if code in (NO_SHARE, SHARE_OVER):
            raise NotThere(SHARE_IS_OVER if code == SHARE_OVER else NO_SUCH_SHARE)
        if code in OURS:
            raise Refused(f"{self._server} does not understand this version: {reason}")
        if code == TOO_MUCH:
            return reason.rstrip(".") or "Too much at once", AFTER_TOO_MUCH, AFTER_TOO_MUCH
        if code == RESTARTS:
            told = COME_BACK.search(reason)
            return "The server restarts", *((min(LATEST, int(told[1]) / 1000), 0.0) if told else (None, AFTER_RESTART))
        return "The connection was lost", None, None

    def _refused(self, refusal: InvalidStatus) -> tuple[str, float | None]:
        """Why it is worth another try, and how long the server wants to be left alone. Raises where it is not."""
        response = refusal.response
        try:
            detail = str(json.loads(response.body or b"")["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"HTTP {response.status_code} {response.reason_phrase}."
        if response.status_code in GONE:
            raise NotThere(detail)
        if response.status_code not in LATER and response.status_code < 500:
            raise Refused(detail)
        return f"{self._server} says: {detail}".rstrip("."), seconds_of(response.headers.get("Retry-After"))
