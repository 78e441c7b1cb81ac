"""One pub/sub connection for everything that a process listens to.

Pub/sub is at-most-once: what is published while the connection is down is lost. So a listener is told, each time its
channel is (again) subscribed, that from now on it hears everything; what came before it must read for itself. That is
the same moment for the first subscription and for every reconnection, and the only place where "subscribe before
reading" has to be got right.
"""

import logging
import random
import threading
from collections.abc import Callable

import redis

log = logging.getLogger(__name__)

PING_AFTER = 5.0  # seconds of silence after which the server is asked whether it is there; as long again, and the
# connection is given up: a cut without FIN looks like silence
LONGEST_DELAY = 1.0  # seconds between attempts to reconnect

Received = Callable[[bytes], None]
Subscribed = Callable[[], None]


class Subscriber:
    """Callbacks run on the subscriber's own thread and must be quick; what they raise is logged."""

    def __init__(self, client: "redis.Redis", *, random: Callable[[], float] = random.random) -> None:
        self._pool = client.connection_pool
        self._random = random
        self._lock = threading.RLock()
        self._listeners: dict[bytes, tuple[Received, Subscribed]] = {}
        self._connection: redis.connection.AbstractConnection | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen_forever, name="stream-subscriber", daemon=True)

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and disconnect."""
        self._closing.set()
        with self._lock:
            self._send("PING")  # the answer wakes the thread that reads
        if self._thread.is_alive():
            self._thread.join(2 * PING_AFTER)

    def add(self, channel: str, received: Received, subscribed: Subscribed = lambda: None) -> None:
        """Listen to a channel: `subscribed` each time that it is subscribed, then `received` for each message."""
        name = channel.encode()
        with self._lock:
            self._listeners[name] = (received, subscribed)
            self._send("SUBSCRIBE", name)

    def remove(self, channel: str) -> None:
        """Listen to it no longer."""
        name = channel.encode()
        with self._lock:
            if self._listeners.pop(name, None):
                self._send("UNSUBSCRIBE", name)

    @property
    def count(self) -> int:
        """How many channels it listens to."""
        with self._lock:
            return len(self._listeners)

    # -- inside

    def _send(self, *command: str | bytes) -> None:
        if self._connection is None:
            return  # everything is subscribed when the connection stands
        try:
            _send(self._connection, *command)
        except (redis.RedisError, OSError) as error:
            log.info("pub/sub connection broke while sending: %s", error)  # the reading thread notices, and reconnects

    def _listen_forever(self) -> None:
        failures = 0
        while not self._closing.is_set():
            connection = self._pool.connection_class(
                **{
                    **self._pool.connection_kwargs,
                    "health_check_interval": 0,
                    "socket_timeout": PING_AFTER,
                    "protocol": 2,
                }
            )
            try:
                connection.connect()
                with self._lock:
                    self._connection = connection
                    if self._listeners:
                        _send(connection, "SUBSCRIBE", *self._listeners)
                failures = 0
                self._listen(connection)
            except (redis.RedisError, OSError) as error:
                if not self._closing.is_set():
                    log.warning("pub/sub connection lost, reconnecting: %s", error)
            except Exception:  # all that this process hears depends on this thread
                log.exception("listening failed, reconnecting")
            finally:
                with self._lock:
                    self._connection = None
                connection.disconnect()
            failures += 1
            self._closing.wait(self._random() * min(LONGEST_DELAY, 0.02 * 2 ** min(failures, 10)))

    def _listen(self, connection: "redis.connection.AbstractConnection") -> None:
        pinged = False
        while not self._closing.is_set():
            try:
                reply = connection.read_response(disconnect_on_error=False)
            except redis.TimeoutError:
                if pinged:
                    raise redis.ConnectionError("no answer to a ping") from None
                with self._lock:
                    _send(connection, "PING")
                pinged = True
                continue
            pinged = False
            if isinstance(reply, list) and reply[0] in (b"message", b"subscribe"):
                self._tell(reply)

    def _tell(self, reply: list[bytes]) -> None:
        listener = self._listeners.get(reply[1])  # without the lock: one look, and the hot path
        if listener is None:
            return
        received, subscribed = listener
        try:
            if reply[0] == b"message":
                received(reply[2])
            else:
                subscribed()
        except Exception:
            log.exception("a listener of %r failed", reply[1])


def _send(connection: "redis.connection.AbstractConnection", *command: str | bytes) -> None:
    connection.send_command(*command, check_health=False)  # type: ignore[no-untyped-call]  # redis-py has no type here
