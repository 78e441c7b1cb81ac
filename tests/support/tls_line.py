"""TLS in front of a server on a unix socket, with a certificate that nobody has to trust, as hosted Redis has it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trustme

SIZE = 65_536


@contextmanager
def tls_line(unix_socket: Path, *, authority: trustme.CA | None = None, name: str = "redis.example") -> Iterator[int]:
    """The port of the loopback at which the server can be reached, for the length of the block.

    Its certificate is for this name, by this authority or one that nobody knows.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (authority or trustme.CA()).issue_cert(name).configure_cert(context)
    line = _Line(unix_socket, context)
    thread = threading.Thread(target=asyncio.run, args=(line.serve(),), name="tls-line")
    thread.start()
    try:
        line.listening.wait()
        yield line.port
    finally:
        line.end()
        thread.join()


class _Line:
    port: int

    def __init__(self, unix_socket: Path, context: ssl.SSLContext) -> None:
        self._unix_socket = unix_socket
        self._context = context
        self._passing: set[asyncio.Task[None]] = set()
        self.listening = threading.Event()

    async def serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        await self._over.wait()
        server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._passing.add(task)
        there, back = await asyncio.open_unix_connection(str(self._unix_socket))
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        for end in (back, writer):
            end.transport.abort()
            with suppress(OSError):
                await end.wait_closed()
        self._passing.discard(task)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # either side may leave
        while data := await reader.read(SIZE):
            writer.write(data)
            await writer.drain()
    writer.close()
