"""Many viewers of one stream in one process: `python -m benchmarks.crowd URL COOKIE STREAM COUNT`.

Prints `connected` when all of them follow, and at the end one line of JSON: how many frames came, and the texts that
they added up to, each with how many viewers had it.
"""

import asyncio
import json
import sys
from collections import Counter

from websockets.asyncio.client import connect

AT_ONCE = 50  # handshakes under way


async def watch(
    url: str, cookie: str, stream: str, gate: asyncio.Semaphore, following: asyncio.Semaphore
) -> tuple[int, str]:
    """One viewer, from its connection to the end of the stream."""
    frames, next_index, text = 0, 0, ""
    address = url.replace("http", "ws", 1) + "/api/socket"
    async with gate:
        socket = await connect(address, additional_headers={"Cookie": cookie}, compression=None, open_timeout=120)
    await socket.send(json.dumps({"type": "follow", "stream": stream}))
    async for message in socket:
        frame = json.loads(message)
        if frame["type"] == "following":
            if frame["state"] == "running":
                following.release()
        elif frame["type"] == "chunks":
            if frame["start"] != next_index:
                raise RuntimeError(f"expected index {next_index}, got {frame['start']}")
            frames, next_index, text = frames + 1, frame["stop"], text + frame.get("text", "")
        elif frame["type"] == "end":
            break
    await socket.close()
    return frames, text


async def main(url: str, cookie: str, stream: str, count: int) -> None:
    gate, following = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(0)
    viewers = [asyncio.create_task(watch(url, cookie, stream, gate, following)) for _ in range(count)]
    for _ in viewers:
        await following.acquire()
    print("connected", flush=True)
    results = await asyncio.gather(*viewers)
    texts = Counter(text for _, text in results)
    print(json.dumps({"frames": sum(frames for frames, _ in results), "texts": texts}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
