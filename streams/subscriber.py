"""One pub/sub connection for everything that a process listens to; in a cluster one to each server that has some of it.

Pub/sub is at-most-once: what is published while the connection is down is lost. So a listener is told, each time its
channel is (again) subscribed, that from now on it hears everything; what came before it must read for itself. That is
the same moment for the first subscription, for every reconnection, and for a channel that another server has taken
over, and the only place where "subscribe before reading" has to be got right.

Channels are sharded (SSUBSCRIBE, Redis 7): in a cluster a notification then stays where its stream is, and costs the
other servers nothing (https://redis.io/docs/latest/develop/pubsub/#sharded-pubsub).
"""

# redis-py says the types of some of its methods only.
# mypy: disable-error-code="no-untyped-call"

import logging
import random
import threading
from collections.abc import Callable, Sequence

import redis
from redis.exceptions import MovedError

from streams.connection import Client
from streams.shards import look_anew, moved, shard_of

log = logging.getLogger(__name__)

PING_AFTER = 5.0  # seconds of silence after which the server is asked whether it is there; as long again, and the
# connection is given up: a cut without FIN looks like silence
LONGEST_DELAY = 1.0  # seconds between attempts to reconnect

Received = Callable[[bytes], None]
Subscribed = Callable[[], None]


class Subscriber:
    """Callbacks run on the subscriber's own threads and must be quick; what they raise is logged."""

    def __init__(self, client: Client, *, random: Callable[[], float] = random.random) -> None:
        self._client = client
        self.random = random
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.reconnections = 0  # so often a connection was lost
        self._listeners: dict[bytes, tuple[Received, Subscribed]] = {}
        self._lines: dict[redis.Redis, _Line] = {}
        self._started = False

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        with self.lock:
            self._started = True
            for line in self._lines.values():
                line.start()

    def close(self) -> None:
        """Stop listening, and disconnect."""
        self.closing.set()
        with self.lock:
            lines = list(self._lines.values())
        for line in lines:
            line.close()

    def add(self, channel: str, received: Received, subscribed: Subscribed = lambda: None) -> None:
        """Listen to a channel: `subscribed` each time that it is subscribed, then `received` for each message."""
        name = channel.encode()
        with self.lock:
            self._listeners[name] = (received, subscribed)
            self._line_for(name).add(name)

    def remove(self, channel: str) -> None:
        """Listen to it no longer."""
        name = channel.encode()
        with self.lock:
            if self._listeners.pop(name, None):
                for line in self._lines.values():
                    line.remove(name)

    @property
    def count(self) -> int:
        """How many channels it listens to."""
        with self.lock:
            return len(self._listeners)

    # -- for the lines

    def heard(self, channel: bytes, message: bytes) -> None:
        listener = self._listeners.get(channel)  # without the lock: one look, and the hot path
        if listener is not None:
            self._call(channel, listener[0], message)

    def subscribed(self, channel: bytes) -> None:
        listener = self._listeners.get(channel)
        if listener is not None:
            self._call(channel, listener[1])

    def lost(self) -> None:
        """A server does not answer any more: another one may have what it had."""
        look_anew(self._client)
        self._settle()

    def moved(self, error: MovedError) -> None:
        """A server says that another one has a channel."""
        moved(self._client, error)
        self._settle()

    def is_over(self, line: "_Line") -> bool:
        """Whether this line is not needed any more; it is then forgotten. The only one of a single server stays."""
        with self.lock:
            if line.channels or len(self._lines) == 1:
                return False
            del self._lines[line.server]
            return True

    # -- inside

    def _settle(self) -> None:
        """Have every channel on the line to the server that has it."""
        with self.lock:
            for line in list(self._lines.values()):
                for name in list(line.channels):
                    owner = self._line_for(name)
                    if owner is not line:
                        line.remove(name)
                        owner.add(name)

    def _line_for(self, channel: bytes) -> "_Line":
        server = shard_of(self._client, channel)
        line = self._lines.get(server)
        if line is None:
            line = self._lines[server] = _Line(self, server)
            if self._started:
                line.start()
        return line

    def _call(self, channel: bytes, listener: Callable[..., None], *message: bytes) -> None:
        try:
            listener(*message)
        except Exception:
            log.exception("a listener of %r failed", channel)


class _Line:
    """The connection to one server, and the thread that reads it. `channels` is guarded by the subscriber's lock."""

    def __init__(self, subscriber: Subscriber, server: "redis.Redis") -> None:
        self.server = server
        self.channels: set[bytes] = set()
        self._subscriber = subscriber
        self._connection: redis.connection.AbstractConnection | None = None
        self._thread = threading.Thread(target=self._listen_forever, name="stream-subscriber", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._subscriber.lock:
            self._send(("PING",))  # the answer wakes the thread that reads
        if self._thread.is_alive():
            self._thread.join(2 * PING_AFTER)

    def add(self, channel: bytes) -> None:
        self.channels.add(channel)
        self._send(("SSUBSCRIBE", channel))

    def remove(self, channel: bytes) -> None:
        if channel in self.channels:
            self.channels.remove(channel)
            self._send(("SUNSUBSCRIBE", channel))

    def _send(self, *commands: Sequence[str | bytes]) -> None:
        if self._connection is None or not commands:
            return  # everything is subscribed when the connection stands
        try:
            _send(self._connection, *commands)
        except (redis.RedisError, OSError) as error:
            log.info("pub/sub connection broke while sending: %s", error)  # the reading thread notices, and reconnects

    def _listen_forever(self) -> None:
        failures = 0
        closing = self._subscriber.closing
        while not closing.is_set():
            connection = self._new_connection()
            try:
                connection.connect()
                with self._subscriber.lock:
                    self._connection = connection
                    self._send(*[("SSUBSCRIBE", channel) for channel in self.channels])
                failures = 0
                self._listen(connection)
            except (redis.RedisError, OSError) as error:
                if not closing.is_set():
                    self._subscriber.reconnections += 1
                    log.warning("pub/sub connection lost, reconnecting: %s", error)
            except Exception:  # all that this process hears depends on this thread
                log.exception("listening failed, reconnecting")
            finally:
                with self._subscriber.lock:
                    self._connection = None
                connection.disconnect()
            failures += 1
            if closing.wait(self._subscriber.random() * min(LONGEST_DELAY, 0.02 * 2 ** min(failures, 10))):
                return
            self._subscriber.lost()
            if self._subscriber.is_over(self):
                return

    def _new_connection(self) -> "redis.connection.AbstractConnection":
        pool = self.server.connection_pool
        options = {"health_check_interval": 0, "socket_timeout": PING_AFTER, "protocol": 2}
        connection: redis.connection.AbstractConnection = pool.connection_class(**{**pool.connection_kwargs, **options})
        return connection

    def _listen(self, connection: "redis.connection.AbstractConnection") -> None:
        pinged = False
        while not self._subscriber.closing.is_set():
            try:
                reply = connection.read_response(disconnect_on_error=False)
            except redis.TimeoutError:
                if pinged:
                    raise redis.ConnectionError("no answer to a ping") from None
                with self._subscriber.lock:
                    _send(connection, ("PING",))
                pinged = True
                continue
            except MovedError as error:
                self._subscriber.moved(error)
                continue
            pinged = False
            if isinstance(reply, list):
                self._take(reply)

    def _take(self, reply: list[bytes]) -> None:
        if reply[0] == b"smessage":
            self._subscriber.heard(reply[1], reply[2])
        elif reply[0] == b"ssubscribe":
            self._subscriber.subscribed(reply[1])
        elif reply[0] == b"sunsubscribe":
            with self._subscriber.lock:
                if reply[1] in self.channels:  # not by us: its slot has moved, and the answer to this says where to
                    self._send(("SSUBSCRIBE", reply[1]))


def _send(connection: "redis.connection.AbstractConnection", *commands: Sequence[str | bytes]) -> None:
    packed = connection.pack_commands(commands)
    connection.send_packed_command(packed, check_health=False)
