"""Many who watch one stream through a share at once: a socket each, in one event loop."""

import asyncio
import json
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect

from tests.support.copy import Copy

OPENING = 50  # at once; a thousand handshakes in one moment would be a test of something else
PATIENCE = 120.0  # seconds for what must come


def watch_together(url: str, share: str, stream: str, viewers: int, all_here: Callable[[], None]) -> list[Copy]:
    """What each of them has when the stream has ended. `all_here` is called once all of them follow it."""
    return asyncio.run(_watch(url.replace("http", "ws", 1) + f"/api/socket?share={share}", stream, viewers, all_here))


async def _watch(address: str, stream: str, viewers: int, all_here: Callable[[], None]) -> list[Copy]:
    turn = asyncio.Semaphore(OPENING)
    copies = [Copy() for _ in range(viewers)]

    async def come(copy: Copy) -> ClientConnection:
        async with turn:
            connection = await connect(address, open_timeout=PATIENCE, ping_interval=None)
            await connection.send(json.dumps({"type": "follow", "stream": stream}))
            while copy.state == "unknown":
                await _take(connection, copy)
            return connection

    async def stay(connection: ClientConnection, copy: Copy) -> None:
        while copy.end is None:
            await _take(connection, copy)
        await connection.close()

    connections = await asyncio.gather(*map(come, copies))
    await asyncio.to_thread(all_here)
    await asyncio.gather(*map(stay, connections, copies))
    return copies


async def _take(connection: ClientConnection, copy: Copy) -> None:
    async with asyncio.timeout(PATIENCE):
        frame = json.loads(await connection.recv())
    if frame.get("stream"):
        copy.take(frame)
