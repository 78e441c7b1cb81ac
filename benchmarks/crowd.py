"""Many viewers of one stream in one process: `python -m benchmarks.crowd URL COOKIE STREAM COUNT`.

Prints `connected` when all of them follow, and at the end one line of JSON: how many frames came, and what the viewers
have (text, outcome, what the protocol does not allow), each with how many viewers have it.
"""

import asyncio
import json
import sys
from collections import Counter

from websockets.asyncio.client import connect

from tests.support.copy import Copy, ProtocolBroken

AT_ONCE = 50  # handshakes under way


async def watch(
    url: str, cookie: str, stream: str, gate: asyncio.Semaphore, following: asyncio.Semaphore
) -> tuple[int, tuple[str, str | None, str]]:
    """One viewer, from its connection to the end of the stream."""
    frames, copy, broken = 0, Copy(), ""
    address = url.replace("http", "ws", 1) + "/api/socket"
    async with gate:
        socket = await connect(address, additional_headers={"Cookie": cookie}, compression=None, open_timeout=120)
    await socket.send(json.dumps({"type": "follow", "stream": stream}))
    async for message in socket:
        frame = json.loads(message)
        try:
            copy.take(frame)
        except ProtocolBroken as error:
            broken = str(error)
            break
        if frame["type"] == "following" and copy.state == "running":
            following.release()
        frames += frame["type"] == "chunks"
        if copy.end:
            break
    await socket.close()
    return frames, (copy.text, copy.end["outcome"] if copy.end else None, broken)


async def main(url: str, cookie: str, stream: str, count: int) -> None:
    gate, following = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(0)
    viewers = [asyncio.create_task(watch(url, cookie, stream, gate, following)) for _ in range(count)]
    for _ in viewers:
        await following.acquire()
    print("connected", flush=True)
    results = await asyncio.gather(*viewers)
    seen = Counter(has for _, has in results)
    print(json.dumps({"frames": sum(frames for frames, _ in results), "seen": list(seen.items())}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
